"""Everything in which a collection, the records and the files disagree, found page by page.

A collection is listed once, and its faces are looked up in the records a page at a time. Records of faces that the
listing did not show are only looked for where the counts say that there are some; the service is then asked for
them by FaceId. What is held in memory is a page, the enrolments and changes that were under way when something
stopped them, and for each user of the collection some hundred bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from facesearch.domain import Change, Collection, Face, FaceDetail, FaceRecord, IndexResult, PhotoStatus
from facesearch.domain.adoption import PREFIX, named, user_person
from facesearch.domain.reconciliation import Drift, Finding, OpenPhoto, RecordedFace, Repair, Unknown
from facesearch.workflows.choosing import choose
from facesearch.workflows.reconciling import users
from facesearch.workflows.reconciling.carrying import repeatable
from facesearch.workflows.reconciling.deciding import OF_UNKNOWN, Known, decided, found, in_wrong_user
from facesearch.workflows.reconciling.files import looked_at
from facesearch.workflows.reconciling.ports import Database, Gateway

PAGE = 4096  # faces on record that the service is asked for at once
BATCH = 500

NOT_TAKEN = "it was cut short, and the service took nothing of it: enrol it again"
TAKEN_AS_IT_IS = "it was cut short and taken over as it is: nobody looked who else is in the photo"
ON_RECORD = "its face is on record"

OnFaces = Callable[[int], None]  # is told how many more faces of the collection were looked at

_Named = tuple[str, str]


class Scan:
    """One look at both sides. `faces_there` and the like are known once `findings` has come to its end."""

    def __init__(
        self,
        gateway: Gateway,
        database: Database,
        collection: Collection,
        unknown: Unknown = Unknown.LEAVE,
        *,
        files: bool = False,
        on_faces: OnFaces | None = None,
    ) -> None:
        self.faces_there = 0
        self.faces_here = 0
        self.unlooked = 0
        self._gateway = gateway
        self._database = database
        self.collection = collection
        self._arn = collection.arn
        self._unknown = unknown
        self._files = files
        self._on_faces = on_faces
        self._recorded = 0  # faces of the collection that are on record
        self._doomed: set[str] = set()  # faces that are about to be deleted
        self._open: dict[_Named, OpenPhoto] = {}
        self._of_open: defaultdict[_Named, list[Face]] = defaultdict(list)
        self._keeps_users = False
        self._misplaced: set[str] = set()  # faces that were found with another user than their own
        self._users: dict[int, bool] = {}  # by hash, of those with faces: whether one of these is on record

    def findings(self) -> Iterator[list[Finding]]:
        """Findings in batches; each batch may be repaired before the next is asked for."""
        yield from self._changes()
        with self._database.read() as records:
            self._keeps_users = records.keeps_users(self._arn)
            self._open = {(one.person_id, one.sha256[:PREFIX]): one for one in records.open_photos(self._arn)}
        for page in self._gateway.pages_of_faces(self.collection.collection_id):
            yield list(self._on_page(page))
            if self._on_faces:
                self._on_faces(len(page))
        yield [finding for photo in self._open.values() for finding in self._open_photo(photo)]
        yield from self._ghosts()
        yield from self._duplicates()
        yield from self._users_found()
        yield from self._userless()
        if self._files:
            yield from self._files_found()

    def _changes(self) -> Iterator[list[Finding]]:
        after = 0
        while True:
            with self._database.read() as records:
                page = records.open_changes(self._arn, after=after)
            if not page:
                return
            self._doomed.update(change.face_id for change in page if _dooms(change) and change.face_id)
            yield [_unsettled(change) for change in page]
            after = page[-1].id or 0

    def _on_page(self, page: list[Face]) -> Iterator[Finding]:
        known = self._known(page)
        self.faces_there += len(page)
        self._recorded += len(known.faces)
        taken: set[_Named] = set()  # photos that this page has shown a face of
        for face in page:
            if face.user_id is not None:
                on_record = face.face_id in known.faces
                self._users[hash(face.user_id)] = self._users.get(hash(face.user_id), False) or on_record
            if face.face_id in self._doomed:
                continue
            named = known.named(face)
            if named in self._open and face.face_id not in known.faces:
                self._of_open[named].append(face)
                continue
            finding = decided(face, known, self._unknown)
            if finding and finding.repair in (Repair.RECORD, Repair.ADOPT) and named:
                if named in taken:
                    reason = "the collection holds another face of the same photo"
                    finding = replace(finding, drift=Drift.DUPLICATE, repair=Repair.DELETE, reason=reason)
                taken.add(named)
            if finding is None and self._keeps_users and face.face_id in known.faces:
                finding = in_wrong_user(face, known.faces[face.face_id], known)
                self._misplaced.update([face.face_id] if finding else ())
            if finding:
                yield finding

    def _userless(self) -> Iterator[list[Finding]]:
        """Faces that no user has been given. What is wrong with those that were found already is said."""
        for page in users.missing(self._database, self._arn) if self._keeps_users else ():
            asked = [face_id for _, face_id in page if face_id not in self._misplaced]
            with self._database.read() as records:
                faces = records.recorded_faces(self._arn, asked)
            yield [_of_record(Drift.USERLESS_FACE, Repair.ASSOCIATE, face) for face in faces.values()]

    def _known(self, page: list[Face]) -> Known:
        ids = {said[0] for face in page if (said := named(face))}
        ids |= {user_person(self._arn, face.user_id) for face in page if face.user_id}
        with self._database.read() as records:
            faces = records.recorded_faces(self._arn, [face.face_id for face in page])
            known = Known(self._arn, faces, records.merged_into(ids), {}, set())
            asked = [
                whose
                for face in page
                if (whose := known.named(face))
                and not (
                    (here := faces.get(face.face_id)) and whose == (here.person_id, here.sha256[:PREFIX])
                )
            ]
            photos = records.named_photos(self._arn, asked)
            erased = records.erased_people([whose[0] for whose in asked])
        return replace(known, photos=photos, erased=erased)

    def _open_photo(self, photo: OpenPhoto) -> Iterator[Finding]:
        """An enrolment without an end: what the collection has of it says how it may end."""
        faces = self._of_open.get((photo.person_id, photo.sha256[:PREFIX]), [])
        finding = Finding(
            Drift.UNSETTLED_PHOTO,
            Repair.SETTLE,
            person_id=photo.person_id,
            person=photo.person,
            photo=photo.path,
            number=photo.number,
        )
        superfluous = {face.face_id for face in faces}
        if photo.face_id is not None:
            yield replace(finding, status=PhotoStatus.ENROLLED, reason=ON_RECORD)
        elif not faces:
            yield replace(finding, status=PhotoStatus.FAILED, reason=NOT_TAKEN)
        else:
            records = tuple(FaceRecord(face, FaceDetail(face.box, face.confidence)) for face in faces)
            choice = choose(IndexResult(records, (), ""), photo.on_multiple)
            assert choice is not None, "there is no want of room among faces that are stored"
            kept = choice.kept.face if choice.kept else None
            superfluous = set(choice.superfluous)
            yield replace(
                finding,
                status=choice.status,
                reason=choice.reason or TAKEN_AS_IT_IS,
                face=kept,
                face_id=kept.face_id if kept else None,
            )
        for face in faces:
            if face.face_id in superfluous:
                extra = found(Drift.DUPLICATE, Repair.DELETE, face)
                reason = "it is not the one that stands for its photo"
                yield replace(
                    extra, person_id=photo.person_id, person=photo.person, photo=photo.path, reason=reason
                )

    def _ghosts(self) -> Iterator[list[Finding]]:
        with self._database.read() as records:
            self.faces_here = records.recorded_face_count(self._arn)
        after = ""
        while self._recorded < self.faces_here:
            with self._database.read() as records:
                page = records.recorded_page(self._arn, after, PAGE)
            if not page:
                return
            after = page[-1].face_id
            asked = [face.face_id for face in page]
            held = {
                face.face_id
                for faces in self._gateway.pages_of_faces(self.collection.collection_id, asked)
                for face in faces
            }
            yield [_ghost(face) for face in page if face.face_id not in held]

    def _duplicates(self) -> Iterator[list[Finding]]:
        """In one transaction, which sees one moment: what is repaired meanwhile does not change the answer."""
        batch: list[Finding] = []
        with self._database.read() as records:
            for face in records.duplicate_faces(self._arn):
                batch.append(_duplicate(face))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        yield batch

    def _users_found(self) -> Iterator[list[Finding]]:
        if not self.collection.user_count:
            return
        repair = OF_UNKNOWN[self._unknown]
        batch: list[Finding] = []
        for user_id in self._gateway.list_users(self.collection.collection_id):
            on_record = self._users.get(hash(user_id))
            if on_record is False:
                batch.append(Finding(Drift.UNKNOWN_USER, repair, user_id=user_id))
            elif on_record is None:
                person_id = user_person(self._arn, user_id)
                batch.append(Finding(Drift.EMPTY_USER, repair, user_id=user_id, person_id=person_id))
            if len(batch) == BATCH:
                yield self._without_adopted(batch)
                batch = []
        yield self._without_adopted(batch)

    def _without_adopted(self, batch: list[Finding]) -> list[Finding]:
        """Users without a face whose person is on record are known, adopted from them or with the person's id."""
        with self._database.read() as records:
            whose = [id_ for one in batch for id_ in (one.person_id, one.user_id) if id_]
            known = {*records.names_of(whose), *records.merged_into(one.person_id or "" for one in batch)}
        return [one for one in batch if one.person_id not in known and one.user_id not in known]

    def _files_found(self) -> Iterator[list[Finding]]:
        after = 0
        while True:
            with self._database.read() as records:
                page = records.photos_page(self._arn, after, BATCH)
            if not page:
                return
            findings, unlooked = looked_at(self._database, page)
            self.unlooked += unlooked
            yield findings
            after = page[-1][0]


def _dooms(change: Change) -> bool:
    return change.operation == "DeleteFaces"


def _unsettled(change: Change) -> Finding:
    repeated = repeatable(change)
    reason = (
        change.reason
        if repeated
        else "it is part of a person's erasure: run `facesearch person erase --pending`"
    )
    return Finding(
        Drift.UNSETTLED_CHANGE,
        Repair.REPEAT if repeated else Repair.LEAVE,
        face_id=change.face_id,
        user_id=change.user_id,
        person_id=change.person_id,
        reason=reason,
        number=change.id,
        operation=change.operation,
    )


def _ghost(face: RecordedFace) -> Finding:
    return _of_record(Drift.GHOST, Repair.FORGET, face)


def _duplicate(face: RecordedFace) -> Finding:
    finding = _of_record(Drift.DUPLICATE, Repair.DELETE, face)
    return replace(finding, reason="an older face of the same photo or picture is on record")


def _of_record(drift: Drift, repair: Repair, face: RecordedFace) -> Finding:
    return Finding(
        drift,
        repair,
        face_id=face.face_id,
        person_id=face.person_id,
        person=face.person,
        photo=face.path,
        external_image_id=face.external_image_id,
    )
