"""What calls of the service cost. Money is in US dollars, as Decimal; a month is a calendar month in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """How many calls of an operation an engine answered in one month, and what AWS asks for so many.

    The month is named by its first day. `cost` is None for what is not billed by the call.
    """

    month: date
    engine: str
    operation: str
    calls: int
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an enrolment would do: files by what would become of them, calls, and what AWS would ask for them.

    `files` counts by a PhotoStatus value for those that need no call, and by "new" for those that do. `seconds` is
    the time the calls take at the quota, None where none is known. `face_month` is what keeping the new faces
    costs every month.
    """

    files: Mapping[str, int]
    people: int
    calls: Mapping[str, int]
    cost: Decimal
    face_month: Decimal
    seconds: float | None
    prices_as_of: date
