"""The people on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import __version__, workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain import Person, PersonSummary
    from facesearch.domain.erasure import Erasure
    from facesearch.domain.regrouping import Former, MergePlan, Regrouping
    from facesearch.domain.sightings import Sighting


class People(Bound):
    """List, show, edit, merge, split and erase people."""

    def people(self, collection_id: str | None = None) -> Iterator[PersonSummary]:
        """Everyone in the records, or everyone with a face in one collection, by name."""
        arn = self._gateway.describe_collection(collection_id).arn if collection_id else None
        with self._database.read() as records:
            yield from records.people(arn)

    def person(self, ref: str) -> PersonSummary:
        """A person by id, key or name. Raises UsageError when there is none, or more than one."""
        return workflows.people.show(self._database, ref)

    def sightings(
        self,
        ref: str | None = None,
        *,
        photo: Path | str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Sighting]:
        """Who was seen where by recorded searches, the newest first; see `workflows.sightings.listed`."""
        return workflows.sightings.listed(self._database, ref, photo=photo, since=since, limit=limit)

    def edit_person(
        self,
        ref: str,
        *,
        name: str | None = None,
        key: str | None = None,
        attributes: Mapping[str, object] | None = None,
        notes: str | None = None,
    ) -> Person:
        """Change what is given; None leaves a field as it is."""
        with self._database.begin() as records:
            person = workflows.people.find(records, ref)
            name = None if name is None else workflows.person_files.person_name(name)
            return records.edit_person(person.id, name=name, key=key, attributes=attributes, notes=notes)

    def plan_merge(self, kept: str, *others: str) -> MergePlan:
        """Whom `merge_people` of the same would join, and what would give way. Writes nothing."""
        return workflows.regrouping.plan_merge(self._database, kept, others)

    def merge_people(self, kept: str, *others: str) -> Regrouping:
        """Make everything of the others the kept person's, each named by id, key or name.

        What the kept person has stays, and what they lack comes from the others. The ids, keys and names of the
        others lead to the kept person from then on, so that enrolling the same folders again does not bring them
        back. Users of collections follow. Raises UsageError for somebody unknown or ambiguous, and for a person
        who is to be merged into themselves; somebody who was merged before is passed over.
        """
        return workflows.regrouping.merge(self._gateway, self._database, kept, others)

    def split_person(self, ref: str, photos: Sequence[Path | str], to: str) -> Regrouping:
        """Make photos of a person (files, s3:// addresses or FaceIds) those of another one, made if need be.

        A photo is moved in every collection, a FaceId where it is. `to` is an id, key or name on record, else the
        name of somebody new. Enrolling the first person's folder again does not take the photos back. Raises
        UsageError for what is no photo of theirs, and when nothing would be left of the person.
        """
        return workflows.regrouping.split(self._gateway, self._database, ref, photos, to)

    def formerly(self, ref: str) -> list[Former]:
        """Who was merged into a person."""
        with self._database.read() as records:
            person_id = workflows.people.find(records, ref).id
            return records.formerly([person_id]).get(person_id, [])

    def erase_person(
        self, ref: str, *, gone: Sequence[str] = (), named: bool = False, receipt: Path | str | None = None
    ) -> Erasure:
        """Erase a person from the records and from every collection, and prove it; see `workflows.erasing`.

        A receipt is kept in the folder `receipts` of the home folder and, with `receipt`, in that file too; with
        `named` it holds the person's name and key. `gone` are ARNs of collections that no longer exist. What the
        service did not confirm is pending, and tried again by `continue_erasures`. Raises UsageError, before
        anything is deleted, when the person may have faces on another engine.
        """
        receipts = self._receipts(named=named)
        erasure = workflows.erasing.erase(self._gateway, self._database, ref, receipts.write, gone)
        if receipt is not None:
            workflows.receipts.write_whole(
                Path(receipt), receipts.path(erasure.person_id).read_text(encoding="utf-8")
            )
            return replace(erasure, receipt=str(receipt))
        return erasure

    def pending_erasures(self) -> list[str]:
        """The ids of people whose erasing is not at its end."""
        return workflows.erasing.unfinished(self._database)

    def continue_erasures(self, but: str | None = None) -> Iterator[Erasure]:
        """Go on with every erasing that is pending, `but` one person's, as far as this engine is concerned."""
        for person_id in workflows.erasing.unfinished(self._database):
            if person_id == but:
                continue
            yield workflows.erasing.carry_on(self._gateway, self._database, person_id, self._receipts().write)

    def _receipts(self, *, named: bool = False) -> workflows.receipts.Receipts:
        return workflows.receipts.Receipts(
            self.settings.home / "receipts", self._counted_as, __version__, named=named
        )
