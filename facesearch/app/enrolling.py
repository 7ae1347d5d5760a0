"""Enrolling from folders and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from facesearch.app.bound import Bound
from facesearch.domain import EnrolmentReport, Estimate, OnMultiple, PhotoOutcome, PlannedPhoto
from facesearch.workflows import collections, costing, enrolling, planning
from facesearch.workflows.enrolling import estimating


class Enrolling(Bound):
    """Plan and carry out enrolments."""

    def plan(self, paths: Sequence[Path | str], person: str | None = None) -> Iterator[PlannedPhoto]:
        """What `enroll` would look at: each file and whom it shows. Raises UsageError for paths it cannot use."""
        return planning.plan([Path(path) for path in paths], person)

    def enroll(
        self,
        paths: Sequence[Path | str],
        collection_id: str,
        *,
        person: str | None = None,
        on_multiple: OnMultiple | str = OnMultiple.AUTO,
        jobs: int | None = None,
        on_photo: Callable[[PhotoOutcome], None] | None = None,
        max_cost: Decimal | None = None,
    ) -> EnrolmentReport:
        """Enrol folders of people (subfolder = person), or with `person` the files and folders of one person.

        The collection is made if it is not there. `on_photo` is told how each photo ended. Running the same
        again does nothing twice; after Ctrl-C or a crash it continues. With `max_cost` (dollars, at AWS's prices)
        BudgetError is raised in place of the call that would pass it; what was done until then is kept.
        """
        planned = self.plan(paths, person)
        with self._within(max_cost):
            return enrolling.enroll(
                self._gateway,
                self._database,
                planned,
                collections.ensure(self._gateway, self._database, collection_id),
                on_multiple=OnMultiple(on_multiple),
                jobs=jobs or self.settings.jobs,
                on_photo=on_photo,
                count_calls=self._count_calls,
            )

    def estimate(
        self,
        paths: Sequence[Path | str],
        collection_id: str,
        *,
        person: str | None = None,
        on_multiple: OnMultiple | str = OnMultiple.AUTO,
        jobs: int | None = None,
    ) -> Estimate:
        """What `enroll` of the same would do and cost. Every file is read; nothing is called that costs money,
        and nothing is written.
        """
        return estimating.estimate(
            self._database,
            self.plan(paths, person),
            collections.found(self._gateway, collection_id),
            on_multiple=OnMultiple(on_multiple),
            jobs=jobs or self.settings.jobs,
            prices=self._prices,
            already=costing.calls_this_month(self._database, self._counted_as),
        )
