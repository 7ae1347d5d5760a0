"""Enrolling from folders and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from facesearch.app.bound import Bound
from facesearch.domain import EnrolmentReport, OnMultiple, PhotoOutcome, PlannedPhoto
from facesearch.workflows import collections, enrolling, planning


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
    ) -> EnrolmentReport:
        """Enrol folders of people (subfolder = person), or with `person` the files and folders of one person.

        The collection is made if it is not there. `on_photo` is told how each photo ended. Running the same
        again does nothing twice; after Ctrl-C or a crash it continues.
        """
        planned = self.plan(paths, person)
        return enrolling.enroll(
            self._gateway,
            self._database,
            planned,
            collections.ensure(self._gateway, self._database, collection_id),
            on_multiple=OnMultiple(on_multiple),
            jobs=jobs or self.settings.jobs,
            on_photo=on_photo,
        )
