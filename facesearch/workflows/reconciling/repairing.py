"""Findings put right, batch by batch: records in one transaction, with what is to be deleted, which then is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from facesearch.domain import Change, Collection, PhotoStatus
from facesearch.domain.adoption import Adoption, adoption
from facesearch.domain.reconciliation import Drift, Finding, Repair
from facesearch.workflows.reconciling import users
from facesearch.workflows.reconciling.carrying import (
    DELETE_FACES,
    DELETE_USER,
    DISASSOCIATE,
    carry_out,
)
from facesearch.workflows.reconciling.ports import Database, Gateway, Records

MANY = 4096  # faces that one DeleteFaces takes

_RECORDED = (Repair.RECORD, Repair.ADOPT, Repair.CORRECT)


class Repairer:
    """Repairs one collection. Nothing is deleted from it unless `deleting`.

    Any moment is a good one to die: records are written whole or not at all, and a deletion that was intended is
    found again by the next scan.
    """

    def __init__(
        self, gateway: Gateway, database: Database, collection: Collection, *, deleting: bool
    ) -> None:
        self.done: Counter[tuple[Drift, Repair]] = Counter()
        self.refused: dict[str, str] = {}
        self._gateway = gateway
        self._database = database
        self._collection = collection
        self._arn = collection.arn
        self._deleting = deleting
        self._run: str | None = None
        self._recorded = 0
        self._changes: list[Change] = []
        self._for: dict[int, tuple[Drift, Repair]] = {}  # what each change is made for

    def repair(self, batch: Sequence[Finding]) -> None:
        """Put right what can be put right of a batch."""
        findings = [one for one in batch if one.repair is not Repair.LEAVE]
        if not self._deleting:
            findings = [one for one in findings if one.repair is not Repair.DELETE]
        if not findings:
            return
        with self._database.begin() as records:
            self._settle(records, findings)
            self._write_faces(records, findings)
            forgotten = [one.face_id for one in findings if one.repair is Repair.FORGET and one.face_id]
            records.delete_faces(self._arn, forgotten)
            records.give_to_users(self._arn, _placed(findings))
            changes = self._intend(records, findings)
        self.done.update(
            (one.drift, one.repair) for one in findings if one.repair not in (Repair.DELETE, Repair.REPEAT)
        )
        self._changes += changes
        if len(self._changes) >= MANY:
            self._carry_out()

    def finish(self) -> None:
        """Make the deletions that are still waiting, give faces to users, and write down that this is the end."""
        self._carry_out()
        self.refused.update(users.keep_up(self._gateway, self._database, self._collection).refused)
        if self._run is not None:
            with self._database.begin() as records:
                records.finish_run(self._run, {PhotoStatus.ENROLLED: self._recorded})

    def _write_faces(self, records: Records, findings: Sequence[Finding]) -> None:
        adoptions = [
            self._adoption(one)
            for one in findings
            if one.face and (one.repair in _RECORDED or one.repair is Repair.SETTLE)
        ]
        if adoptions:
            if self._run is None:
                self._run = records.start_run(self._arn, f"collection {self._collection.collection_id}")
            records.adopt_faces(self._arn, self._run, adoptions)
            self._recorded += len(adoptions)
        for one in findings:
            if one.drift is Drift.EMPTY_USER and one.repair is Repair.ADOPT and one.person_id and one.user_id:
                records.add_lost_person(one.person_id, one.user_id)

    def _adoption(self, finding: Finding) -> Adoption:
        assert finding.face is not None, "only what the collection holds is adopted"
        whose = adoption(self._arn, finding.face)
        return replace(
            whose, person_id=finding.person_id or whose.person_id, name=finding.person or whose.name
        )

    def _settle(self, records: Records, findings: Sequence[Finding]) -> None:
        for one in findings:
            if one.repair is Repair.SETTLE and one.number is not None and one.status is not None:
                records.end_photos([one.number], one.status, one.reason or "")

    def _intend(self, records: Records, findings: Sequence[Finding]) -> list[Change]:
        """Write down what is to be deleted. A duplicate's record goes at once, and its photo stays enrolled."""
        wanted: list[tuple[Change, Finding]] = []
        for one in findings:
            if one.repair is Repair.DELETE and one.face_id is None:
                wanted.append((Change(DELETE_USER, user_id=one.user_id), one))
            elif one.repair is Repair.DELETE:
                if one.user_id is not None:
                    wanted.append((Change(DISASSOCIATE, face_id=one.face_id, user_id=one.user_id), one))
                wanted.append((Change(DELETE_FACES, face_id=one.face_id), one))
            elif _leaves_user(one):
                wanted.append((Change(DISASSOCIATE, face_id=one.face_id, user_id=one.user_id), one))
        ids = records.intend_changes(self._arn, [change for change, _ in wanted])
        records.drop_faces(
            self._arn,
            [
                one.face_id
                for one in findings
                if one.drift is Drift.DUPLICATE and one.repair is Repair.DELETE and one.face_id
            ],
        )
        changes = [replace(change, id=id_) for id_, (change, _) in zip(ids, wanted, strict=True)]
        repeated = [
            Change(one.operation, face_id=one.face_id, user_id=one.user_id, id=one.number)
            for one in findings
            if one.repair is Repair.REPEAT and one.operation
        ]
        for change, (_, finding) in zip(changes, wanted, strict=True):
            if change.id is not None and change.operation != DISASSOCIATE:
                self._for[change.id] = (finding.drift, finding.repair)
        for change in repeated:
            if change.id is not None:
                self._for[change.id] = (Drift.UNSETTLED_CHANGE, Repair.REPEAT)
        return changes + repeated

    def _carry_out(self) -> None:
        changes, self._changes = self._changes, []
        carried = carry_out(self._gateway, self._database, self._collection, changes)
        self.done.update(self._for[id_] for id_ in carried.done if id_ in self._for)
        self.refused.update(carried.refused)
        self._for.clear()


def _leaves_user(finding: Finding) -> bool:
    """Whether a face has to leave the user it has before it can be given to its person's."""
    return (
        finding.repair is Repair.ASSOCIATE and bool(finding.user_id) and finding.user_id != finding.person_id
    )


def _placed(findings: Sequence[Finding]) -> dict[str, str | None]:
    """What the collection says of faces whose user is to be put right, by FaceId."""
    return {
        one.face_id: one.user_id
        for one in findings
        if one.repair is Repair.ASSOCIATE and one.face_id and one.face and not _leaves_user(one)
    }
