"""What similarities mean in each collection, and the threshold that it keeps to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select, update

from facesearch.domain.calibration import Calibration, Point, Rate
from facesearch.records.tables import CALIBRATIONS, COLLECTIONS, FACES
from facesearch.records.unit import AnyRow, Unit

_FACTS = ("made_at", "faces", "people", "comparisons", "own", "own_people")


class CalibrationRecords(Unit):
    """Calibrations, one for each collection and face model."""

    def save_calibration(self, arn: str, calibration: Calibration) -> None:
        """Keep it, in place of an older one of the same collection and model."""
        row = {
            "collection": self._collection(arn),
            "model_version": calibration.model_version,
            **{name: getattr(calibration, name) for name in _FACTS},
            "points": [_to_json(point) for point in calibration.points],
        }
        self._upsert(CALIBRATIONS, [row], unique=["collection", "model_version"], changed=[*_FACTS, "points"])

    def calibrations(self, arn: str) -> list[Calibration]:
        """Those of a collection, one for each model it was measured with, the newest first."""
        statement = (
            select(CALIBRATIONS)
            .join(COLLECTIONS, COLLECTIONS.c.id == CALIBRATIONS.c.collection)
            .where(COLLECTIONS.c.arn == arn)
            .order_by(CALIBRATIONS.c.made_at.desc(), CALIBRATIONS.c.id.desc())
        )
        return [_calibration(row) for row in self._connection.execute(statement)]

    def own_threshold(self, arn: str) -> str | None:
        """The threshold that a collection keeps to, as it was said; None where the usual one holds."""
        return self._connection.scalar(select(COLLECTIONS.c.threshold).where(COLLECTIONS.c.arn == arn))

    def set_own_threshold(self, arn: str, threshold: str | None) -> None:
        """Let a collection keep to a threshold, or with None to the usual one."""
        statement = update(COLLECTIONS).where(COLLECTIONS.c.arn == arn)
        self._connection.execute(statement.values(threshold=threshold))

    def whose_faces(self, arn: str) -> Iterator[tuple[str, str]]:
        """Each face of a collection that is on record, with its person's id, in the order of enrolment.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = (
            select(FACES.c.face_id, FACES.c.person)
            .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
            .where(COLLECTIONS.c.arn == arn)
            .order_by(FACES.c.id)
        )
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            yield from map(tuple, rows)


def _calibration(row: AnyRow) -> Calibration:
    facts = {name: getattr(row, name) for name in _FACTS}
    return Calibration(row.model_version, **facts, points=tuple(_from_json(row.points)))


def _to_json(point: Point) -> dict[str, Any]:
    return {
        "similarity": point.similarity,
        "false_matches": _numbers(point.false_matches),
        "false_finds": _numbers(point.false_finds),
        "misses": _numbers(point.misses) if point.misses else None,
    }


def _from_json(points: Iterable[Mapping[str, Any]]) -> Iterator[Point]:
    for point in points:
        yield Point(
            point["similarity"],
            Rate(*point["false_matches"]),
            Rate(*point["false_finds"]),
            Rate(*point["misses"]) if point["misses"] else None,
        )


def _numbers(rate: Rate) -> list[float]:
    return [rate.estimate, rate.low, rate.high]
