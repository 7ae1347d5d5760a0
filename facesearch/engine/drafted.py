"""A large JPEG, decoded no larger than it is looked at.

At a half, a quarter or an eighth of its size a JPEG is decoded in a half to a third of the time, in as much less
memory. The detector's first look at a photo of 12 megapixels is at a quarter; so is the chip of a face that fills
it. Only who is small in such a photo is looked at in full.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling, Transform

    Area = tuple[int, int, int, int]  # left, top, right, bottom

_SMALLEST = 8  # times as small as the image: what the decoder can do by itself


class Picture(Protocol):
    """An upright RGB image as the vision asks for it; Pillow's Image is one."""

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    def reduce(self, factor: int, box: Area | None = None) -> Image: ...
    def resize(self, size: tuple[int, int], resample: Any, *, reducing_gap: float) -> Image: ...
    def crop(self, box: Area) -> Image: ...
    def transform(
        self, size: tuple[int, int], method: Transform, data: Any, resample: Resampling
    ) -> Image: ...


class Drafted:
    """An image of `size` pixels that `decode` gives at one n-th of it, rounded up, for n of 1, 2, 4 and 8.

    It is decoded at one `first`-th at once, and again only for what that does not show.
    """

    def __init__(self, size: tuple[int, int], decode: Callable[[int], Image], first: int) -> None:
        self.size = size
        self._decode = decode
        self._decoded = {first: decode(first)}

    @property
    def width(self) -> int:
        return self.size[0]

    @property
    def height(self) -> int:
        return self.size[1]

    def reduce(self, factor: int, box: Area | None = None) -> Image:
        """The image, or a part of it that starts at multiples of the factor, as Pillow reduces it."""
        image, done = self._near(factor)
        if box is None:
            return image if factor == done else image.reduce(factor // done)
        left, top, right, bottom = box
        part = (left // done, top // done, -(-right // done), -(-bottom // done))
        return image.crop(part) if factor == done else image.reduce(factor // done, part)

    def resize(self, size: tuple[int, int], resample: Any, *, reducing_gap: float) -> Image:
        """The image in another size."""
        image, _ = self._near(self._power(min(self.width // size[0], self.height // size[1])))
        return image.resize(size, resample, reducing_gap=reducing_gap)

    def crop(self, box: Area) -> Image:
        """A part of the image in full."""
        return self._near(1)[0].crop(box)

    def transform(self, size: tuple[int, int], method: Transform, data: Any, resample: Resampling) -> Image:
        """What Pillow makes of the image in full."""
        return self._near(1)[0].transform(size, method, data, resample)

    def _near(self, factor: int) -> tuple[Image, int]:
        """The image from which it is the least work to make one so many times as small, and how small that is."""
        done = max((one for one in self._decoded if factor % one == 0), default=None)
        if done is None:
            done = gcd(factor, _SMALLEST)
            self._decoded[done] = self._decode(done)
        return self._decoded[done], done

    @staticmethod
    def _power(shrinking: int) -> int:
        """The greatest power of two that is no more."""
        return 1 << max(shrinking, 1).bit_length() - 1


def first_look(width: int, height: int, wanted: int) -> int:
    """How many times as small an image of that size can be for `wanted` pixels to be left: 1, 2, 4 or 8."""
    return max(n for n in (1, 2, 4, _SMALLEST) if n == 1 or width * height >= wanted * n * n)
