"""What an enrolment would do and what it would cost, without a call that costs anything and without a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from facesearch.domain import (
    Collection,
    Estimate,
    JournalEntry,
    OnMultiple,
    Person,
    PersonSpec,
    PhotoStatus,
    PlannedPhoto,
)
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.workflows.costing import Prices
from facesearch.workflows.enrolling.decided import remembered
from facesearch.workflows.enrolling.hashing import Hashing
from facesearch.workflows.enrolling.intents import somebody_elses
from facesearch.workflows.enrolling.ports import Database, Records
from facesearch.workflows.enrolling.tally import Distinct, Tally
from facesearch.workflows.enrolling.work import Work
from facesearch.workflows.reading import Reader

NEW = "new"


def estimate(
    database: Database,
    planned: Iterable[PlannedPhoto],
    collection: Collection | None,
    reader: Reader,
    *,
    on_multiple: OnMultiple,
    door: AtTheDoor,
    jobs: int,
    prices: Prices,
    already: Mapping[str, int],
    rate: float | None = None,
) -> Estimate:
    """Count what would become of every planned photo. `collection` is None where it would be made first.

    A photo whose largest face is one of several may take a second call, which nobody knows before the first.
    """
    if collection is not None:
        with database.read() as records:
            collection = collection if records.knows_collection(collection) else None
    counting = _Counting(database, collection, on_multiple, door)
    with ThreadPoolExecutor(jobs, thread_name_prefix="hash") as pool:
        for batch in Hashing(database, pool, counting.tally, reader).hashed(planned):
            counting.add(batch)
    new = len(counting.new)
    calls = {"IndexFaces": new}
    if door.on_conflict is not OnConflict.ENROLL:
        calls["SearchFaces"] = new
    return Estimate(
        files={**{status.value: count for status, count in counting.tally.counts.items() if count}, NEW: new},
        people=len(counting.people),
        calls=calls,
        cost=prices.cost(calls, already),
        face_month=prices.face_month * new,
        seconds=new / rate if rate else None,
        prices_as_of=prices.as_of,
    )


class _Counting:
    """Photos by what would become of them."""

    def __init__(
        self, database: Database, collection: Collection | None, on_multiple: OnMultiple, door: AtTheDoor
    ) -> None:
        self.tally = Tally()
        self.new = Distinct()
        self.people = Distinct()
        self._database = database
        self._collection = collection
        self._on_multiple = on_multiple
        self._door = door
        self._named: dict[str, Person] = {}  # people who would get their lost name back, by that name

    def add(self, batch: list[Work]) -> None:
        """Count a batch of photos."""
        if not batch:
            return
        with self._database.read() as records:
            for work, person in zip(batch, records.known_people([w.spec for w in batch]), strict=True):
                work.person = work.person or person
            entries = self._entries(records, self._collection.arn, batch) if self._collection else {}
        for work in batch:
            of_photo = entries.get(work.sha256, {})
            entry = of_photo.get(work.person.id) if work.person else None
            if entry and (status := remembered(entry, self._on_multiple, self._door)):
                self.tally.end(work.path, work.spec.name, status, entry.reason)
            elif self._door.on_conflict is OnConflict.SKIP and (other := somebody_elses(work, of_photo)):
                self.tally.end(work.path, work.spec.name, PhotoStatus.CONFLICT, other)
            elif not self._is_first(work):
                self.tally.end(work.path, work.spec.name, PhotoStatus.ALREADY, None)
            self.people.update([_digest(_whose(work))])

    def _entries(
        self, records: Records, arn: str, batch: list[Work]
    ) -> Mapping[str, Mapping[str, JournalEntry]]:
        """The journal of the photos, with what an enrolment would first make out of photos and people that were
        adopted from the collection: by the beginning of a sha256, and without a name.
        """
        prefixes = records.known_by_prefix(work.sha256 for work in batch)
        nameless = [work for work in batch if work.person is None and work.spec.name not in self._named]
        shown = [(prefixes.get(work.sha256, work.sha256), work.spec) for work in nameless]
        already = {person.id for person in self._named.values()}
        for person_id, spec in records.names_of_lost_people(arn, shown).items():
            if person_id not in already:
                self._named[spec.name] = Person(person_id, spec.name, spec.key)
        for work in batch:
            work.person = work.person or self._would_be(work.spec)
        entries = records.journal_of_photos(arn, [*(work.sha256 for work in batch), *prefixes.values()])
        return {
            work.sha256: {
                **entries.get(prefixes.get(work.sha256, ""), {}),
                **entries.get(work.sha256, {}),
            }
            for work in batch
        }

    def _would_be(self, spec: PersonSpec) -> Person | None:
        person = self._named.get(spec.name)
        return person if person and (not spec.key or person.key in (None, spec.key)) else None

    def _is_first(self, work: Work) -> bool:
        """Whether no other file of the same content and person came before."""
        before = len(self.new)
        self.new.update([_digest(_whose(work), work.sha256)])
        return len(self.new) > before


def _whose(work: Work) -> str:
    """Who a photo shows, whether they are on record or not."""
    return work.person.id if work.person else f"{work.spec.key or ''}\0{work.spec.name}"


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
