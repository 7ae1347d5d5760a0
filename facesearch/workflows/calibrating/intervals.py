"""Ranges of shares: the exact one of Clopper and Pearson, for as many tries as the dependent ones are worth.

Comparisons are not independent: all those of one person have that person's face in common, and somebody whom many
resemble raises them all. How much they spread is therefore taken from the people, not from the comparisons. That
spread says how many independent tries would spread as much (Kish's effective number), and the exact range of a
share is that of so many tries (Korn and Graubard, 1998).
"""

from __future__ import annotations

import math

from facesearch.domain.calibration import Rate

_TAIL = 0.025  # on either side of a range of 95 %
_PRECISION = 1e-6  # of an end of a range, relative


def rate(hits: int, tries: int, variance: float, at_most: int) -> Rate:
    """The share of `hits` in `tries` with its range, given the `variance` of the number of hits.

    However little the people seem to differ, the tries are never worth more than `at_most` independent ones: where
    nothing was found nothing differs, and what stands behind it is so many people, or pairs of them.
    """
    share = hits / tries
    independent = share * (1 - share) * tries * tries / variance if variance > 0 else math.inf
    worth = min(independent, at_most, tries)
    return Rate(share, *clopper_pearson(share * worth, worth))


def clopper_pearson(hits: float, tries: float) -> tuple[float, float]:
    """The range of 95 % of a share of which `hits` in `tries` were seen; both may be fractions."""
    low = _beta_quantile(_TAIL, hits, tries - hits + 1) if hits > 0 else 0.0
    high = _beta_quantile(1 - _TAIL, hits + 1, tries - hits) if hits < tries else 1.0
    return min(low, hits / tries), max(high, hits / tries)


def _beta_quantile(part: float, a: float, b: float) -> float:
    """Where the beta distribution reaches `part`, by halving."""
    low, high = 0.0, 1.0
    while high - low > _PRECISION * high and high > 1e-12:
        middle = (low + high) / 2
        if _beta_reaches(middle, a, b) < part:
            low = middle
        else:
            high = middle
    return high


def _beta_reaches(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction where that converges fast."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_reaches(1 - x, b, a)
    if x <= 0:
        return 0.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return front / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way to a continued fraction (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    result = d
    for m in range(1, 1000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d or tiny)
            c = 1 + numerator / c or tiny
            result *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return result
