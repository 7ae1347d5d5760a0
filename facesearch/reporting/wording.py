"""How a page says what was found: in plain words, numbers with what they are measured against."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, log10
from pathlib import PurePath
from types import MappingProxyType

from facesearch.domain import PersonMatch, SearchStatus
from facesearch.domain.calibration import Rate, Threshold

ANSWERS: Mapping[SearchStatus, str] = MappingProxyType(
    {
        SearchStatus.MATCHED: "found",
        SearchStatus.UNMATCHED: "no match",
        SearchStatus.NO_FACE: "no face",
        SearchStatus.UNREADABLE: "unreadable",
    }
)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 face`, `2 faces`, `3 people`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def who(match: PersonMatch) -> str:
    """A person's name, or what stands for one who is not on record."""
    if match.person:
        return match.person.name
    stands_for = f"user {match.user_id}" if match.user_id else f"face {str(match.face_id)[:8]}"
    return f"{stands_for}, not on record"


def file_name(path: str) -> str:
    """The last part of a path; the path where there is none."""
    return PurePath(path).name or path


def moment(value: datetime) -> str:
    """`21 November 2026, 15:58 UTC`."""
    utc = value.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def agreement(match: PersonMatch) -> str | None:
    """How many of the person's faces reach the threshold; None where they were not looked at one by one."""
    if match.enrolled is None or match.agreeing is None:
        return None
    return f"{match.agreeing:,} of {match.enrolled:,}"


def margin(match: PersonMatch) -> str:
    """How far the next person is."""
    if match.margin is None:
        return "nobody else reaches the threshold"
    return f"{match.margin:.2f} less similar"


def false_matches(rate: Rate) -> str:
    """How often somebody else of the collection is as similar."""
    if not rate.estimate:
        return f"less than {share(rate.high)} of other people are as similar"
    ends = f"{share(rate.low)} to {share(rate.high)}"
    return f"{share(rate.estimate)} of other people are as similar (95 %: {ends})"


def threshold(value: Threshold) -> str:
    """A threshold with whose it is, and the rate it was said as."""
    said = [f"{value.similarity:.4g}"]
    if value.wanted:
        said.append(f"for {value.wanted}")
    if value.source == "collection":
        said.append("the collection's own")
    return ", ".join(said)


def share(value: float) -> str:
    """A share of 0..1 in per cent with two digits that count, and never as a power of ten."""
    percent = 100 * value
    if percent <= 0:
        return "0 %"
    digits = max(0, 1 - floor(log10(percent)))
    text = f"{percent:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
