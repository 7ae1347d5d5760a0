"""The face models that the engine brings: how each looks at a face, its scale of similarity, and its version.

A version stands for everything that decides vectors and similarities: the weights, how faces are found and cut
out, the views, the scale. Whoever changes one of these changes the versions; tests hold the two together. Vectors
of two versions are not comparable, and a collection is bound to the version it was made with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from facesearch.engine.vision.embed import View
from facesearch.engine.vision.similarity import Scale

# Of the detector and the landmarks, on which the vectors of every model rest, those added by users as well.
FINDING = 1


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A face model over dlib's networks."""

    name: str
    version: str  # digits and dots, as Rekognition's
    views: tuple[View, ...]
    scale: Scale


# The scale was fitted on every pair of the 13,233 photos of Labelled Faces in the Wild. What a similarity means
# there, as the part of pairs of strangers (FAR) and of pairs of one person (TAR) that reach it:
#
#     similarity  distance  FAR      TAR
#     50          .4115     5.7e-3   .992
#     80          .3783     1.0e-3   .9625
#     90          .3589     3.4e-4   .917
#     95          .3411     1.2e-4   .840
#     99          .3016     1.0e-5   .547
#     99.9        .2463     2.4e-7   .127
#
# Those strangers are random pairs. Two people of the same sex, age and origin, and above all two children, are
# taken for one another several times more often.
DLIB = BuiltIn("dlib", "1.0", (View(),), Scale.logistic(41.8, 0.4115))

# The same weights, asked four times as often: TAR at a FAR of 1e-4 is .832 where it is .821 for the above, on the
# same photos. Strangers who are .3 to .5 apart by the above are 1.0 % (deviation 1.1 %) nearer by this model, on
# 588 pairs: so much narrower is the scale, and a similarity means what it means above.
ACCURATE = BuiltIn(
    "accurate",
    "1.1",
    (View(), View(zoom=1 / 1.06), View(zoom=1.06), View(gamma=0.8)),
    Scale.logistic(42.2, 0.4074),
)

BUILT_IN: Mapping[str, BuiltIn] = MappingProxyType({model.version: model for model in (DLIB, ACCURATE)})
