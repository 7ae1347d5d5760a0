"""The scale on which two faces resemble each other, 0..100, and the version of all that decides it.

    similarity = 100 / (1 + exp(STEEPNESS * (distance - MIDDLE)))

`distance` is Euclidean, between two unit descriptors. The two constants were fitted on every pair of the 13,233
photos of Labelled Faces in the Wild. What a similarity means there, as the part of pairs of strangers (FAR) and of
pairs of one person (TAR) that reach it:

    similarity  distance  FAR      TAR
    50          .4115     5.7e-3   .992
    80          .3783     1.0e-3   .9625
    90          .3589     3.4e-4   .917
    95          .3411     1.2e-4   .840
    99          .3016     1.0e-5   .547
    99.9        .2463     2.4e-7   .127

Those strangers are random pairs. Two people of the same sex, age and origin, and above all two children, are taken
for one another several times more often.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# Any change of the networks, of the way a face is cut out or of the scale below is a new version: descriptors of
# two versions are not comparable, and a collection is bound to the version it was made with.
MODEL_VERSION = "1.0"

STEEPNESS = 41.8
MIDDLE = 0.4115

Number = TypeVar("Number", float, NDArray[np.floating])


def similarity(distance: Number) -> Number:
    """The similarity, 0..100, of two faces whose unit descriptors are this far (0..2) apart."""
    result: Number = 100.0 / (1.0 + np.exp(STEEPNESS * (distance - MIDDLE)))
    return result


def distance(similarity: Number) -> Number:
    """How far apart two unit descriptors of this similarity are; the inverse of `similarity`.

    A similarity of 100 gives minus infinity and one of 0 infinity: no distance reaches either.
    """
    with np.errstate(divide="ignore"):
        result: Number = MIDDLE + np.log(100.0 / np.float64(similarity) - 1.0) / STEEPNESS
    return result
