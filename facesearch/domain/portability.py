"""Exports and imports: what a package holds, and what became of it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from facesearch.domain.enrolment import EnrolmentReport


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported. `missing` are photos that could not be put in, with the reason: the first thousand."""

    path: str
    people: int
    faces: int
    photos: int
    photos_inside: int
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedPeople:
    """What becomes of the people of a package. `erased` were erased here, and are not brought back."""

    new: int = 0
    known: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do: photos by state (new, already, missing), calls, and their cost in dollars."""

    people: ImportedPeople
    photos: Mapping[str, int]
    calls: Mapping[str, int]
    cost: Decimal
    face_month: Decimal


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did."""

    people: ImportedPeople
    report: EnrolmentReport
