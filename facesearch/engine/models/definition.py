"""What has to be said of a network for it to be a face model: read from a TOML file, checked key by key.

    name = "sface"                      # what `models use` takes
    file = "sface.onnx"                 # beside the TOML file
    sha256 = "0ba9fbfa..."              # of that file
    licence = "Apache-2.0"
    size = [112, 112]                   # width, height of the input
    layout = "NCHW"                     # or NHWC
    colour = "RGB"                      # or BGR: the order of the channels that the network gets
    mean = 127.5                        # the network gets (pixel - mean) / std, pixels being 0..255;
    std = 127.5                         # one number, or one for each channel in the order of `colour`
    template = "arcface"                # or dlib, or a table of places: left_eye, right_eye, nose_base
    flip = true                         # the vector is the sum of that of the face and of its mirror image
    dimensions = 128
    metric = "cosine"                   # or euclidean: what the first number of each point below is
    similarity = [[0.30, 80], [0.42, 99]]

The first four must be there; without the others it is as above, which mostly fits networks trained by ArcFace's
recipe (dimensions: what the network gives). Without `similarity` a guess takes its place, and the model is
uncalibrated.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from facesearch.engine.errors import ModelError
from facesearch.engine.vision.built_in import BUILT_IN, FINDING
from facesearch.engine.vision.similarity import Scale

CUTTING = 1  # how faces are cut out for an added network; another way gives other vectors

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE = re.compile(r"[^/\\\0]{1,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ARCFACE_SIZE = (112, 112)
_SIDES = range(32, 1025)
_DIMENSIONS = range(2, 4097)
_POINTS = range(2, 65)
_LARGEST = 1e6  # number; infinities and what is no number are none either
_EYES = ("left_eye", "right_eye")

# A guess for networks of this kind: strangers' cosines spread about 0 by less than .1, and one in many thousands
# reaches .4. The threshold OpenCV gives for its network of this kind, .363, is 95 on it.
_UNCALIBRATED = ("cosine", ((0.30, 80.0), (0.42, 99.0)))

Point = tuple[float, float]
Three = tuple[float, float, float]


class DefinitionError(ModelError):
    """A key of a definition is missing, unknown, or of a value that cannot be."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A face model over an ONNX network. `similarity` is None for a scale that nobody measured."""

    name: str
    file: str
    sha256: str
    licence: str
    dimensions: int | None  # None until the network was looked at
    size: tuple[int, int] = _ARCFACE_SIZE
    layout: str = "NCHW"
    colour: str = "RGB"
    mean: Three = (127.5, 127.5, 127.5)
    std: Three = (127.5, 127.5, 127.5)
    template: str | Mapping[str, Point] = "arcface"
    flip: bool = True
    metric: str = "cosine"
    similarity: tuple[Point, ...] | None = None

    @classmethod
    def parse(cls, table: Mapping[str, Any], source: object) -> Definition:
        """A definition out of a TOML or JSON table. Raises DefinitionError, which names `source` and the key."""
        return _Reader(table, source).definition()

    @property
    def version(self) -> str:
        """Its FaceModelVersion: `0.` and 18 digits that follow from all that decides vectors and similarities."""
        deciding = asdict(self)
        for name in ("name", "file", "licence", "metric"):
            del deciding[name]
        deciding["similarity"] = self._points
        text = json.dumps([FINDING, CUTTING, deciding], sort_keys=True, separators=(",", ":"))
        return f"0.{int(hashlib.sha256(text.encode('ascii')).hexdigest(), 16) % 10**18:018}"

    @property
    def scale(self) -> Scale:
        """How alike two vectors are."""
        return Scale.through(_by_distance(*self._points))

    @property
    def _points(self) -> tuple[str, tuple[Point, ...]]:
        """The metric, and the points of the scale."""
        return (self.metric, self.similarity) if self.similarity else _UNCALIBRATED

    @property
    def input(self) -> str:
        """What the network gets of a face, in words."""
        width, height = self.size
        mean, std = (_shared(numbers) for numbers in (self.mean, self.std))
        points = self.template if isinstance(self.template, str) else "own"
        crops = "2 crops" if self.flip else "1 crop"
        numbers = f"{self.colour} {self.layout} (pixel - {mean}) / {std}"
        return f"{width} x {height}, {points} points, {crops}, {numbers}"

    def table(self) -> dict[str, Any]:
        """What `parse` reads, for JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def _by_distance(metric: str, points: Sequence[Point]) -> list[Point]:
    if metric == "cosine":
        points = [(math.sqrt(max(2.0 - 2.0 * cosine, 0.0)), similarity) for cosine, similarity in points]
    return sorted(points)


class _Reader:
    """Takes the keys out of a table, one after the other."""

    def __init__(self, table: Mapping[str, Any], source: object) -> None:
        self._table = dict(table)
        self._source = source

    def definition(self) -> Definition:
        unknown = self._table.keys() - Definition.__dataclass_fields__.keys()
        if unknown:
            raise self._error(
                f"unknown key {sorted(unknown)[0]!r}; the keys are {', '.join(Definition.__dataclass_fields__)}"
            )
        name = self._text(
            "name", _NAME, "1 to 64 of the characters a-z 0-9 . _ -, the first a letter or digit"
        )
        if name in {model.name for model in BUILT_IN.values()}:
            raise self._error(f"name {name!r} is that of a model that comes with the engine: give it another")
        size = self._size()
        return Definition(
            name=name,
            file=self._text("file", _FILE, "the name of a file in the same folder"),
            sha256=self._text("sha256", _SHA256, "64 hexadecimal digits in lower case (`sha256sum FILE`)"),
            licence=self._licence(),
            dimensions=self._dimensions(),
            size=size,
            layout=self._choice("layout", "NCHW", "NHWC"),
            colour=self._choice("colour", "RGB", "BGR"),
            mean=self._three("mean", positive=False),
            std=self._three("std", positive=True),
            template=self._template(size),
            flip=self._flip(),
            metric=self._choice("metric", "cosine", "euclidean"),
            similarity=self._similarity(),
        )

    def _error(self, text: str) -> DefinitionError:
        return DefinitionError(f"{self._source}: {text}")

    def _wrong(self, key: str, wanted: str) -> DefinitionError:
        if key not in self._table:
            return self._error(f"{key} is missing: it must be {wanted}")
        return self._error(f"{key} must be {wanted}, not {_short(self._table[key])}")

    def _text(self, key: str, pattern: re.Pattern[str], wanted: str) -> str:
        value = self._table.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value) or value in (".", ".."):
            raise self._wrong(key, wanted)
        return value

    def _licence(self) -> str:
        value = self._table.get("licence")
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 200:
            raise self._wrong("licence", 'a line of text, such as "Apache-2.0"')
        return value.strip()

    def _choice(self, key: str, *choices: str) -> str:
        value = self._table.get(key, choices[0])
        if value not in choices:
            raise self._wrong(key, " or ".join(choices))
        return str(value)

    def _flip(self) -> bool:
        value = self._table.get("flip", True)
        if not isinstance(value, bool):
            raise self._wrong("flip", "true or false")
        return value

    def _dimensions(self) -> int | None:
        value = self._table.get("dimensions")
        if value is not None and (type(value) is not int or value not in _DIMENSIONS):
            raise self._wrong("dimensions", f"a whole number from {_DIMENSIONS[0]} to {_DIMENSIONS[-1]}")
        return value

    def _size(self) -> tuple[int, int]:
        value = self._table.get("size", _ARCFACE_SIZE)
        sides = value if isinstance(value, Sequence) and len(value) == 2 else ()
        if not sides or any(type(side) is not int or side not in _SIDES for side in sides):
            raise self._wrong("size", f"[width, height], whole numbers from {_SIDES[0]} to {_SIDES[-1]}")
        return sides[0], sides[1]

    def _three(self, key: str, *, positive: bool) -> Three:
        value = self._table.get(key, 127.5)
        three = (value,) * 3 if _is_number(value) else value
        if (
            not isinstance(three, Sequence)
            or len(three) != 3
            or not all(_is_number(one) and (one > 0 or not positive) for one in three)
        ):
            raise self._wrong(key, f"a{' positive' if positive else ''} number, or three of them")
        return float(three[0]), float(three[1]), float(three[2])

    def _template(self, size: tuple[int, int]) -> str | Mapping[str, Point]:
        value = self._table.get("template", "arcface")
        wanted = "arcface, dlib, or a table of left_eye, right_eye and perhaps nose_base"
        if value in ("arcface", "dlib"):
            if size[0] != size[1]:
                raise self._error(f"template {value} is of a square input, and size is {list(size)}")
            return str(value)
        if (
            not isinstance(value, Mapping)
            or not set(_EYES) <= value.keys() <= {*_EYES, "nose_base"}
            or not all(_is_pair(point) for point in value.values())
        ):
            raise self._wrong("template", f"{wanted}, each [x, y] in pixels of the input")
        points = {name: (float(x), float(y)) for name, (x, y) in value.items()}
        if not all(0 <= x < size[0] and 0 <= y < size[1] for x, y in points.values()):
            raise self._error(f"template has a place outside the input of {size[0]} x {size[1]} pixels")
        if points["right_eye"][0] - points["left_eye"][0] < 1:
            raise self._error("template has its left_eye, as seen in the picture, right of its right_eye")
        return points

    def _similarity(self) -> tuple[Point, ...] | None:
        value = self._table.get("similarity")
        if value is None:
            return None
        metric = self._choice("metric", "cosine", "euclidean")
        low, high = (-1.0, 1.0) if metric == "cosine" else (0.0, 2.0)
        wanted = (
            f"{_POINTS[0]} to {_POINTS[-1]} points [{metric}, similarity], the first numbers within "
            f"{low:g}..{high:g} and the second between 0 and 100"
        )
        if (
            not isinstance(value, Sequence)
            or len(value) not in _POINTS
            or not all(_is_pair(one) and low <= one[0] <= high and 0 < one[1] < 100 for one in value)
        ):
            raise self._wrong("similarity", wanted)
        points = tuple((float(x), float(y)) for x, y in value)
        distances, similarities = zip(*_by_distance(metric, points), strict=True)
        if not all(_grows(by) for by in (distances, similarities[::-1])):
            raise self._error(
                f"similarity must {'grow' if metric == 'cosine' else 'fall'} with the {metric} from point to point"
            )
        return points


def _shared(numbers: Three) -> str:
    return f"{numbers[0]:g}" if len(set(numbers)) == 1 else f"[{', '.join(f'{one:g}' for one in numbers)}]"


def _grows(values: Sequence[float]) -> bool:
    return all(one < other for one, other in pairwise(values))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_pair(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_is_number, value))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
