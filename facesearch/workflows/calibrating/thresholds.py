"""Thresholds: which similarity is asked for, by whom, and what it means in the collection that is searched."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import Protocol

from facesearch.domain import Collection, PhotoSearch
from facesearch.domain.calibration import (
    DEFAULT_THRESHOLD,
    Calibration,
    Threshold,
    WantedRate,
    parse_threshold,
)
from facesearch.errors import DatabaseError, UsageError
from facesearch.workflows.calibrating.measuring import too_few

ASKED, COLLECTION, DEFAULT = "asked", "collection", "default"


class Records(Protocol):
    """What this asks of the records."""

    def calibrations(self, arn: str) -> list[Calibration]: ...
    def own_threshold(self, arn: str) -> str | None: ...
    def set_own_threshold(self, arn: str, threshold: str | None) -> None: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


def resolve(database: Database, collection: Collection, asked: float | WantedRate | None) -> Threshold:
    """The threshold for a search: as asked for, else the collection's own, else 80.

    Raises UsageError for a false-match rate that the collection's calibration cannot tell of, or without one.
    """
    with database.read() as records:
        calibrations = records.calibrations(collection.arn)
        own = records.own_threshold(collection.arn)
    source = ASKED
    if asked is None:
        source = COLLECTION if own else DEFAULT
        asked = _kept(own, collection) if own else DEFAULT_THRESHOLD
    known = _of_model(calibrations, collection)
    if not isinstance(asked, WantedRate):
        return Threshold(asked, source, None, known)
    if known is None:
        raise UsageError(f"{asked} cannot be used: {_missing(calibrations, collection)}")
    return Threshold(_reaching(known, asked.rate, collection), source, asked, known)


def usable(database: Database, collection: Collection) -> Calibration | None:
    """What is known of a collection and its present face model."""
    with database.read() as records:
        return _of_model(records.calibrations(collection.arn), collection)


def own_threshold(database: Database, collection: Collection) -> str | None:
    """The threshold that a collection keeps to where none is asked for, as it was said."""
    with database.read() as records:
        return records.own_threshold(collection.arn)


def set_own_threshold(
    database: Database, collection: Collection, threshold: float | WantedRate | None
) -> None:
    """Let a collection keep to a threshold where none is asked for; None takes it back.

    Raises UsageError for a false-match rate that cannot be used there.
    """
    if isinstance(threshold, WantedRate):
        resolve(database, collection, threshold)
    said = f"{threshold:g}" if isinstance(threshold, float) else str(threshold) if threshold else None
    with database.begin() as records:
        records.set_own_threshold(collection.arn, said)


def parsed(threshold: float | str | None) -> float | WantedRate | None:
    """A threshold as it was said. Raises UsageError for what is none."""
    try:
        return parse_threshold(str(threshold)) if threshold is not None else None
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def similarity_alone(threshold: float | str | None) -> float:
    """A threshold where no collection is looked at. Raises UsageError for a rate, which only collections have."""
    asked = parsed(threshold)
    if isinstance(asked, WantedRate):
        raise UsageError(
            f"{asked} is a rate of one collection: name a collection and a person, or a similarity"
        )
    return DEFAULT_THRESHOLD if asked is None else asked


def rated(found: Generator[PhotoSearch], calibration: Calibration | None) -> Generator[PhotoSearch]:
    """The answers, each match with what is known of how often somebody else is so similar."""
    with closing(found):
        for search in found:
            yield _rated(search, calibration) if calibration else search


def _rated(search: PhotoSearch, calibration: Calibration) -> PhotoSearch:
    faces = (
        replace(
            face,
            matches=tuple(
                replace(match, false_match_rate=calibration.rate_at(match.similarity))
                for match in face.matches
            ),
        )
        for face in search.faces
    )
    return replace(search, faces=tuple(faces))


def _of_model(calibrations: list[Calibration], collection: Collection) -> Calibration | None:
    return next((one for one in calibrations if one.model_version == collection.model_version), None)


def _kept(said: str, collection: Collection) -> float | WantedRate:
    try:
        return parse_threshold(said)
    except ValueError as exc:
        raise DatabaseError(
            f"the threshold of collection {collection.collection_id} is damaged: {exc}"
        ) from exc


def _reaching(calibration: Calibration, rate: float, collection: Collection) -> float:
    if rate < calibration.finest:
        raise UsageError(
            f"{WantedRate(rate)} is finer than the calibration of collection {collection.collection_id} can "
            f"tell. {too_few(rate, calibration.people)}: ask for fmr={_rounded_up(calibration.finest):g} or "
            "more, or enrol more people and run `facesearch calibrate` again"
        )
    point = calibration.reaching(rate)
    if point is None:
        raise UsageError(
            f"no threshold keeps to {WantedRate(rate)} in collection {collection.collection_id}: some people "
            "there are as alike as one; `facesearch calibrate` names the nearest, who may be on record twice"
        )
    return point.similarity


def _missing(calibrations: list[Calibration], collection: Collection) -> str:
    """Why there is no calibration, and what makes one."""
    step = f"run `facesearch calibrate -c {collection.collection_id}`"
    if not calibrations:
        return f"collection {collection.collection_id} was not measured yet; {step}"
    return (
        f"collection {collection.collection_id} was measured with face model {calibrations[0].model_version}, "
        f"and has model {collection.model_version} now; {step} again"
    )


def _rounded_up(rate: float) -> float:
    """A rate with two digits, none of them too low."""
    digit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return math.ceil(rate / digit - 1e-9) * digit
