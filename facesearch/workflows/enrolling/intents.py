"""Which photos are to be sent, and that they are about to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facesearch.domain import Collection, Intent, JournalEntry, OnMultiple, Photo, PhotoStatus
from facesearch.workflows.enrolling.ports import Database
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work


@dataclass(slots=True)
class Intents:
    """The photos of a run that are under way, each written down before it is sent."""

    database: Database
    run_id: str
    collection: Collection
    on_multiple: OnMultiple
    tally: Tally
    under_way: dict[tuple[str, str], Work] = field(default_factory=dict)

    def write(self, batch: list[Work]) -> list[Work]:
        """Write down which photos of the batch are to be sent, and end the others."""
        if not batch:
            return []
        with self.database.begin() as records:
            specs = {id(work.spec): work.spec for work in batch}  # a folder's photos share one
            people = dict(zip(specs, records.resolve_people(list(specs.values())), strict=True))
            for work in batch:
                work.person = people[id(work.spec)]
            entries = records.journal(self.collection.arn, list({work.key for work in batch}))
            fresh = self._fresh(batch, entries)
            records.remember_files([work.file for work in batch if work.file])
            records.intend(self.run_id, self.collection.arn, [self._intent(work) for work in fresh])
        self.tally.people.update(work.key[0] for work in batch)
        return fresh

    def _fresh(self, batch: list[Work], entries: Mapping[tuple[str, str], JournalEntry]) -> list[Work]:
        fresh: list[Work] = []
        for work in batch:
            entry = entries.get(work.key)
            if work.key in self.under_way:
                self.under_way[work.key].copies.append(work.path)
            elif entry and (status := remembered(entry, self.on_multiple)):
                self.tally.end(work.path, work.spec.name, status, entry.reason, entry.face_id)
            else:
                self.under_way[work.key] = work
                fresh.append(work)
        return fresh

    def _intent(self, work: Work) -> Intent:
        return Intent(work.key[0], Photo(work.sha256, work.path), self.on_multiple)


def remembered(entry: JournalEntry, on_multiple: OnMultiple) -> PhotoStatus | None:
    """The status of a photo that need not be sent again; None for one that must."""
    if entry.status is PhotoStatus.ENROLLED:
        return PhotoStatus.ALREADY
    decided_alike = entry.on_multiple is on_multiple
    if entry.status is PhotoStatus.NO_FACE or (
        entry.status in (PhotoStatus.FILTERED, PhotoStatus.SEVERAL_FACES) and decided_alike
    ):
        return entry.status
    return None
