"""What a similarity means in a collection, and the thresholds that are said in that meaning."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain.calibration import Calibration, Measured, Threshold

FACES = 1000  # asked about, if nothing else is said
IN_FLIGHT = 16  # calls to a service that is not this machine


class Calibrating(Bound):
    """Measure a collection, and look after its threshold."""

    def calibrate(
        self,
        collection_id: str,
        *,
        faces: int = FACES,
        jobs: int | None = None,
        on_face: Callable[[], None] | None = None,
    ) -> Measured:
        """Search for the collection's own faces, at most so many, and keep what that says of similarities.

        Each takes a call of SearchFaces. What was kept before for the same face model is replaced. Raises
        UsageError for a collection with too few people.
        """
        jobs = jobs or self.settings.jobs
        return workflows.calibrating.calibrate(
            self._gateway,
            self._database,
            workflows.collections.remembered(self._gateway, self._database, collection_id),
            most=faces,
            jobs=jobs if self.engine == "embedded" else max(jobs, IN_FLIGHT),
            pace=workflows.pacing.Pace(self._pace(None)),
            on_face=on_face,
        )

    def calibration_cost(self, collection_id: str, *, faces: int = FACES) -> tuple[int, Decimal]:
        """How many calls `calibrate` of the same takes, and what AWS asks for them, in dollars."""
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        calls = len(workflows.calibrating.chosen(self._database, collection, faces))
        already = workflows.costing.calls_this_month(self._database, self._counted_as)
        return calls, self._prices.cost({"SearchFaces": calls}, already)

    def calibration(self, collection_id: str) -> Calibration | None:
        """What is known of a collection and its present face model; None where that was not measured."""
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return workflows.calibrating.usable(self._database, collection)

    def draw_calibration(self, collection_id: str, calibration: Calibration, path: Path) -> None:
        """Write a calibration's curves, with the collection's threshold, as .png or .svg. Raises UsageError."""
        from facesearch import curves

        title = f"collection {collection_id}, face model {calibration.model_version}"
        curves.save(calibration, path, title, self.threshold(collection_id).similarity)

    def threshold(self, collection_id: str, asked: float | str | None = None) -> Threshold:
        """The threshold a search of the collection uses: as asked for, else the collection's own, else 80.

        `asked` is a similarity or `fmr=` with the false-match rate to keep to. Raises UsageError for a rate that
        the collection's calibration cannot tell of, naming what to do.
        """
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return workflows.calibrating.resolve(self._database, collection, workflows.calibrating.parsed(asked))

    def set_threshold(self, collection_id: str, threshold: float | str | None) -> None:
        """Let a collection keep to a threshold where none is asked for; None brings back 80.

        Raises UsageError for a rate that the collection's calibration cannot tell of.
        """
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        workflows.calibrating.set_own_threshold(
            self._database, collection, workflows.calibrating.parsed(threshold)
        )

    def own_threshold(self, collection_id: str) -> str | None:
        """The threshold that was set for a collection, as it was said; None for the usual one."""
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return workflows.calibrating.own_threshold(self._database, collection)
