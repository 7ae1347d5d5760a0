"""Which of the faces seen in an image are worth keeping, and for the others why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facesearch.engine.vision.recognizer import SeenFace

# However many faces are asked for, an image gives no more than this.
MAX_FACES = 100

EXCEEDS_MAX_FACES = ("EXCEEDS_MAX_FACES",)


@dataclass(frozen=True, slots=True)
class _Bar:
    """What a face must reach."""

    side: float  # pixels of the image, of the shorter side of the box
    confidence: float  # 0..100
    brightness: float  # 0..100
    sharpness: float  # 0..100
    yaw: float  # degrees to either side
    pitch: float  # degrees up or down


# Measured by benchmarks/quality.py on 12 photos of 5 people, spoilt, against the person's other photos: the share
# found at all, what of that is recognised at similarity 80, median sharpness or brightness, and what of the found
# ones each bar keeps. So few photos show where recognition breaks, and not how often: a bar for sharpness that
# lets 95 % of the recognised pass is 6 for the one half of these people and 15 for the other.
#
#                       found  recognised  sharpness   LOW  AUTO  MEDIUM  HIGH
#   untouched           100 %       100 %         77   100   100     100   100
#   blurred by 0.5 %    100 %       100 %         53   100   100     100   100    (of the width of the head)
#   blurred by 1 %      100 %       100 %         33   100   100     100     8
#   blurred by 1.5 %    100 %        78 %         18   100    92      33     0
#   blurred by 2 %      100 %        56 %         11    92    33       0     0
#   blurred by 3 %      100 %        11 %          3    50     0       0     0
#   60 px               100 %       100 %         58   100   100     100    58
#   40 px               100 %       100 %         47   100   100      83     0
#   30 px               100 %        94 %         40   100   100       0     0
#   JPEG quality 10     100 %        94 %         65   100   100     100   100
#                                         brightness
#   25 % of the light   100 %       100 %         13   100   100      17     0
#   10 % of the light   100 %       100 %          5   100    67       0     0
#   7 % of the light     83 %       100 %          4    90     0       0     0
#
# On 3,000 photos of Labelled Faces in the Wild, 97 % are recognised untouched, 96 % at 33 px, 93 % at 25 px, 75 %
# at 17 px. Darkness does little harm until the detector itself fails. So AUTO keeps what can still be recognised.
_BARS: Mapping[str, _Bar] = MappingProxyType(
    {
        # Only the worst goes: hardly a face, or hardly any of it to be seen.
        "LOW": _Bar(side=20, confidence=90, brightness=3, sharpness=3, yaw=80, pitch=70),
        # The faces that matching still works for: strong blur alone goes, and heads turned almost to a profile.
        "AUTO": _Bar(side=25, confidence=90, brightness=5, sharpness=12, yaw=70, pitch=60),
        # A little of everything: recognised as well as an untouched face, or nearly.
        "MEDIUM": _Bar(side=40, confidence=95, brightness=15, sharpness=21, yaw=55, pitch=45),
        # Enrolment as Rekognition's guide recommends it: 50 px and more, pitch and yaw well under 45 degrees.
        "HIGH": _Bar(side=60, confidence=99, brightness=25, sharpness=38, yaw=40, pitch=30),
    }
)


def shortcomings(face: SeenFace, level: str) -> tuple[str, ...]:
    """Rekognition's reasons why a face stays under the bar of a QualityFilter; none when it reaches it."""
    bar = _BARS.get(level)
    if bar is None:  # NONE filters nothing
        return ()
    found = {
        "SMALL_BOUNDING_BOX": min(face.width, face.height) < bar.side,
        "LOW_CONFIDENCE": face.confidence < bar.confidence,
        "LOW_BRIGHTNESS": face.brightness < bar.brightness,
        "LOW_SHARPNESS": face.sharpness < bar.sharpness,
        "EXTREME_POSE": abs(face.yaw) > bar.yaw or abs(face.pitch) > bar.pitch,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def good_enough(faces: Sequence[SeenFace], level: str) -> list[SeenFace]:
    """The faces that reach the bar, in their order, and no more than an image may give."""
    return [face for face in faces if not shortcomings(face, level)][:MAX_FACES]


def choose(
    faces: Sequence[SeenFace], level: str, most: int
) -> tuple[list[SeenFace], list[tuple[SeenFace, tuple[str, ...]]]]:
    """What to store of the faces of an image, largest first, and the others with their reasons.

    Low quality goes first; of what is left, the smallest go until there are no more than `most`.
    """
    chosen: list[SeenFace] = []
    others: list[tuple[SeenFace, tuple[str, ...]]] = []
    for face in faces:
        reasons = shortcomings(face, level)
        if not reasons and len(chosen) < min(most, MAX_FACES):
            chosen.append(face)
        else:
            others.append((face, reasons or EXCEEDS_MAX_FACES))
    return chosen, others
