"""Which photos are to be sent, and that they are about to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from facesearch.domain import (
    Collection,
    Duplicate,
    Intent,
    JournalEntry,
    OnMultiple,
    Person,
    PersonSpec,
    Photo,
    PhotoOutcome,
    PhotoStatus,
    PlannedPhoto,
    Settlement,
)
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.workflows.enrolling.decided import remembered
from facesearch.workflows.enrolling.ports import Database, Records
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work, copied, lasting
from facesearch.workflows.reading import is_stored
from facesearch.workflows.unchanged import are_two, state_of


class Intents:
    """The photos of a run that are under way, each written down before it is sent."""

    def __init__(
        self,
        database: Database,
        run_id: str,
        collection: Collection,
        on_multiple: OnMultiple,
        door: AtTheDoor,
        tally: Tally,
    ) -> None:
        self.under_way: dict[tuple[str, str], Work] = {}
        self.waiting: list[Work] = []  # for the same photo, which is under way for somebody else
        self._database = database
        self._run_id = run_id
        self._arn = collection.arn
        self._on_multiple = on_multiple
        self._door = door
        self._tally = tally
        with database.read() as records:
            self._any_unread = bool(records.unread(self._arn))

    def write(self, batch: list[Work]) -> list[Work]:
        """Write down which photos of the batch are to be sent, and end the others.

        The files that were set aside meanwhile are written down with them, and the photos that waited are looked
        at again.
        """
        aside = self._tally.take_aside()
        batch, self.waiting = [*self.waiting, *batch], []
        if not batch and not aside:
            return []
        with self._database.begin() as records:
            self._resolve(records, batch, aside)
            entries = records.journal_of_photos(self._arn, [work.sha256 for work in batch])
            fresh, turned_away, moved = self._sorted(batch, entries)
            records.move_photos(moved)
            replaced = [(work.key[0], work.was) for work in batch if work.was and work.was != work.sha256]
            records.forget_photos(self._arn, replaced)
            if self._any_unread:
                records.take_up(self._arn, [lasting(work.path) for work in batch])
            records.remember_files([work.file for work in batch if work.file])
            tried = [*fresh, *turned_away]
            records.intend(self._run_id, self._arn, [self._intent(work) for work in tried])
            records.settle(
                self._arn,
                [Settlement(*work.key, PhotoStatus.CONFLICT, work.conflict) for work in turned_away],
            )
        for work in turned_away:
            self._tally.end(work.path, work.spec.name, PhotoStatus.CONFLICT, work.conflict)
        self._tally.people.update({work.key[0] for work in batch})
        return fresh

    def _resolve(
        self, records: Records, batch: list[Work], aside: list[tuple[PhotoOutcome, PlannedPhoto]]
    ) -> None:
        """Find or make the people of the photos, and of the files that were set aside.

        A photo that was adopted from a collection is recognised first, and gives its person their name back.
        """
        records.recognise_photos([Photo(work.sha256, work.path) for work in batch])
        records.name_lost_people(self._arn, [(one.sha256, one.spec) for one in batch if one.person is None])
        wanted = [work.spec for work in batch if work.person is None]
        wanted += [photo.person for _, photo in aside if photo.person and not photo.known]
        specs = {id(spec): spec for spec in wanted}  # a folder's photos share one
        people = dict(zip(specs, records.resolve_people(list(specs.values())), strict=True))
        for work in batch:
            work.person = work.person or people[id(work.spec)]
        if aside:
            files = [
                (replace(outcome, path=lasting(outcome.path)), _whose(photo.known, photo.person, people))
                for outcome, photo in aside
            ]
            records.set_aside(self._run_id, self._arn, files)
            self._any_unread = True

    def _sorted(
        self, batch: list[Work], entries: Mapping[str, Mapping[str, JournalEntry]]
    ) -> tuple[list[Work], list[Work], list[Photo]]:
        """The photos to be sent, and those that are turned away for being somebody else's. The others have ended.

        Of those, the ones that are no more where they were last seen are given with their new paths. A photo that
        is under way for somebody else waits until it is known whether it was enrolled as theirs.
        """
        fresh: list[Work] = []
        turned_away: list[Work] = []
        moved: list[Photo] = []
        sending = {sha256 for _, sha256 in self.under_way}
        for work in batch:
            of_photo = entries.get(work.sha256, {})
            entry = of_photo.get(work.key[0])
            if work.key in self.under_way:
                self.under_way[work.key].copies.append(work.path)
            elif entry and (status := remembered(entry, self._on_multiple, self._door)):
                self._remember(work, status, entry, alone=len(of_photo) == 1)
                if not is_stored(entry.path) and state_of(entry.path) is None:
                    moved.append(Photo(work.sha256, lasting(work.path)))
            elif work.sha256 in sending:
                self.waiting.append(work)
            else:
                work.conflict = somebody_elses(work, of_photo)
                if work.conflict and self._door.on_conflict is OnConflict.SKIP:
                    turned_away.append(work)
                    continue
                self.under_way[work.key] = work
                sending.add(work.sha256)
                fresh.append(work)
        return fresh, turned_away, moved

    def _remember(self, work: Work, status: PhotoStatus, entry: JournalEntry, *, alone: bool) -> None:
        """End a photo that need not be sent. The path of one that is somebody else's too may be of their file."""
        reason = entry.reason
        if status is PhotoStatus.ALREADY and alone and self._is_copy(work, entry):
            copy = Duplicate(work.path, work.spec.name, entry.path)
            self._tally.tell_alike(copy)
            reason = copied(copy)
        self._tally.end(work.path, work.spec.name, status, reason, entry.face_id)

    def _is_copy(self, work: Work, entry: JournalEntry) -> bool:
        """Whether the photo is on record by another file, which is still there: this one was not just moved.

        Objects in S3 are not asked for again: only this run knows that both are there.
        """
        if entry.path in ("", work.path, lasting(work.path)):
            return False
        if is_stored(work.path) or is_stored(entry.path):
            return entry.run == self._run_id
        return are_two(work.path, entry.path)

    def _intent(self, work: Work) -> Intent:
        return Intent(work.key[0], Photo(work.sha256, lasting(work.path)), self._on_multiple, self._door.bars)


def somebody_elses(work: Work, entries: Mapping[str, JournalEntry]) -> str | None:
    """Whom the photo is enrolled as besides, by the entries of everyone it was tried for."""
    whose = work.person.id if work.person else None
    for person_id, entry in entries.items():
        if person_id != whose and entry.status is PhotoStatus.ENROLLED and entry.face_id:
            return f"the same photo is under {entry.person} already"
    return None


def _whose(known: Person | None, spec: PersonSpec | None, people: Mapping[int, Person]) -> str | None:
    person = known or (people[id(spec)] if spec else None)
    return person.id if person else None
