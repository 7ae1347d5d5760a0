"""Enrolling from folders and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain import EnrolmentReport, Estimate, OnMultiple, PhotoOutcome, PlannedPhoto
    from facesearch.domain.door import AtTheDoor, OnConflict, QualityFilter

IN_FLIGHT = 16  # calls to a service whose quota nobody said
MAX_IN_FLIGHT = 256  # to any service, if its latency needs so many


class Enrolling(Bound):
    """Plan and carry out enrolments."""

    def plan(
        self, paths: Sequence[Path | str], person: str | None = None, *, strict: bool = False
    ) -> Iterator[PlannedPhoto]:
        """What `enroll` would look at: each file and whom it shows. Raises UsageError for paths it cannot use.

        `strict` raises it for any bad row of a manifest too.
        """
        return workflows.planning.plan(paths, self._stored, person, strict=strict)

    def enroll(
        self,
        paths: Sequence[Path | str],
        collection_id: str,
        *,
        person: str | None = None,
        strict: bool = False,
        on_multiple: OnMultiple | str = "auto",
        on_conflict: OnConflict | str | None = None,
        min_face: int = 0,
        quality: QualityFilter = "AUTO",
        jobs: int | None = None,
        rate: float | None = None,
        retry_failed: bool = False,
        on_photo: Callable[[PhotoOutcome], None] | None = None,
        max_cost: Decimal | None = None,
    ) -> EnrolmentReport:
        """Enrol folders of people (subfolder = person) and manifests, or with `person` what shows one person.

        A manifest (*.csv, *.tsv, *.jsonl, *.ndjson) has a row for each photo. Its bad rows are reported and left
        out; with `strict` UsageError is raised for them, before anything is enrolled.

        The collection is made if it is not there. `on_photo` is told how each photo ended. Running the same
        again does nothing twice; after Ctrl-C or a crash it continues. `retry_failed` enrols, after those under
        `paths`, the photos whose last try failed or whose file could not be read, wherever they were found then.

        `on_conflict` is about a face that the collection has under another person: WARN (enrol and report), SKIP
        or ENROLL (do not look). Looking takes a call of SearchFaces for each photo, so that it is done unasked
        on the embedded engine alone. Faces of less than `min_face` pixels on the shorter side are not kept;
        `quality` is Rekognition's QualityFilter.

        `jobs` photos are worked on at one time; calls begin at `rate` a second, on AWS at the region's default
        quota if nothing is said, and slower while the service throttles. With `max_cost` (dollars, at AWS's
        prices) BudgetError is raised in place of the call that would pass it; what was done until then is kept.
        """
        from facesearch.domain import OnMultiple
        from facesearch.workflows.enrolling import retrying
        from facesearch.workflows.reconciling import users

        self.expect_photos()
        planned = self.plan(paths, person, strict=strict)
        jobs = jobs or self.settings.jobs
        rate = self._pace(rate)
        with self._within(max_cost):
            collection = workflows.collections.ensure(self._gateway, self._database, collection_id)
            if retry_failed:
                planned = chain(planned, retrying.unfinished(self._database, collection))
            report = workflows.enrolling.enroll(
                self._gateway,
                self._database,
                planned,
                collection,
                workflows.reading.Reader(self._stored),
                source=" ".join([*map(str, paths), *(["--retry-failed"] if retry_failed else [])]),
                on_multiple=OnMultiple(on_multiple),
                door=self._door(on_conflict, min_face, quality),
                jobs=jobs,
                in_flight=self._in_flight(jobs, rate),
                rate=rate,
                on_photo=on_photo,
                count_calls=self._count_calls,
            )
            users.keep_up(self._gateway, self._database, collection)
            return report

    def _door(self, on_conflict: OnConflict | str | None, min_face: int, quality: QualityFilter) -> AtTheDoor:
        from facesearch.domain.door import AtTheDoor, OnConflict

        unasked = OnConflict.WARN if self.engine == "embedded" else OnConflict.ENROLL
        return AtTheDoor(min_face, quality, OnConflict(on_conflict) if on_conflict else unasked)

    def _in_flight(self, jobs: int, rate: float | None) -> int:
        """Calls that may wait for their answers: the embedded engine works on this machine, others elsewhere.

        With processes one more than work on photos, lest one of them waits for its next.
        """
        if self.engine == "embedded":
            return jobs if jobs == 1 else jobs + 1
        return MAX_IN_FLIGHT if rate else max(jobs, IN_FLIGHT)

    def estimate(
        self,
        paths: Sequence[Path | str],
        collection_id: str,
        *,
        person: str | None = None,
        strict: bool = False,
        on_multiple: OnMultiple | str = "auto",
        on_conflict: OnConflict | str | None = None,
        min_face: int = 0,
        quality: QualityFilter = "AUTO",
        jobs: int | None = None,
        rate: float | None = None,
    ) -> Estimate:
        """What `enroll` of the same would do and cost. Every file is read; nothing is called that costs money,
        and nothing is written.
        """
        from facesearch.domain import OnMultiple
        from facesearch.workflows.enrolling import estimating

        return estimating.estimate(
            self._database,
            self.plan(paths, person, strict=strict),
            workflows.collections.found(self._gateway, collection_id),
            workflows.reading.Reader(self._stored),
            on_multiple=OnMultiple(on_multiple),
            door=self._door(on_conflict, min_face, quality),
            jobs=jobs or self.settings.jobs,
            prices=self._prices,
            rate=self._pace(rate),
            already=workflows.costing.calls_this_month(self._database, self._counted_as),
        )
