"""Looking back at enrolments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain import Run, RunPhoto


class Runs(Bound):
    """Runs and their photos, out of the records alone."""

    def runs(self, collection_id: str | None = None) -> Iterator[Run]:
        """Every enrolment, or those into collections of that CollectionId, the newest first."""
        with self._database.read() as records:
            yield from records.runs(collection_id)

    def run(self, ref: str) -> Run:
        """The enrolment of that id, or beginning of one, or the newest for "last". Raises UsageError."""
        with self._database.read() as records:
            return workflows.runs.find(records, ref)

    def run_photos(self, run: Run) -> Iterator[RunPhoto]:
        """Where the photos stand that the run was the last to deal with."""
        with self._database.read() as records:
            yield from records.run_photos(run.id)
