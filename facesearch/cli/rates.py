"""Rates and the thresholds that are said in them, for reading and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesearch.domain.calibration import Rate, Threshold


def percent(rate: float) -> str:
    """`0.12 %`: two digits that count, whatever the size."""
    return f"{float(f'{100 * rate:.2g}'):.12g} %" if rate >= 1e-6 else f"{100 * rate:.1g} %"


def told(rate: Rate) -> str:
    """A rate in short; where nothing was seen, what it may be at most."""
    return percent(rate.estimate) if rate.estimate else f"< {percent(rate.high)}"


def spread(rate: Rate) -> str:
    """The range that a rate lies in."""
    return f"{percent(rate.low)} to {percent(rate.high)}"


def shape(rate: Rate | None) -> dict[str, float] | None:
    """A rate in JSON: shares from 0 to 1."""
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high} if rate else None


def threshold_shape(threshold: Threshold) -> dict[str, Any]:
    """A threshold in JSON, beside what was searched with it: whose it is, and the rate it was said as."""
    return {
        "threshold": threshold.similarity,
        "threshold_from": threshold.source,
        "threshold_rate": threshold.wanted.rate if threshold.wanted else None,
    }


def threshold_said(threshold: Threshold) -> str | None:
    """What a rate was turned into; None for a threshold that was said as a similarity."""
    known = threshold.calibration
    if threshold.wanted is None or known is None or (rate := known.rate_at(threshold.similarity)) is None:
        return None
    return (
        f"threshold {threshold.similarity:.4g} for {threshold.wanted}: somebody else matches in {told(rate)} "
        f"(95 %: {spread(rate)}), measured {known.made_at:%Y-%m-%d} on {known.people:,} people"
    )
