"""Names in any script as lines of text that can be drawn: made harmless, wrapped, and in the order of the eye.

One font ships with the program, because no system can be relied upon to have one that knows Thai and Hebrew and
Korean. Pillow lays text out with Raqm, which knows every script, where FriBidi is installed beside it; elsewhere
what matters most is done here: right-to-left order, and the joined letters of Arabic.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONT = Path(__file__).parent / "fonts" / "FacesearchNames.ttf"

_LONGEST = 300  # characters of a name that are looked at
_LONGEST_CLUSTER = 8  # a letter and the marks on it; more is not writing
_JOINERS = "\u200c\u200d"  # zero width, and part of how Persian and the languages of India are spelt
_TATWEEL = "\u0640"


def font(size: int) -> FreeTypeFont:
    """The shipped font at a size in pixels."""
    from PIL import ImageFont

    return ImageFont.truetype(FONT, size)


def harmless(name: str) -> str:
    """The name on one line, without the control characters that draw nothing or upset what is round them."""
    composed = unicodedata.normalize("NFC", name[:_LONGEST])
    kept = (c if c in _JOINERS or unicodedata.category(c)[0] not in "CZ" else " " for c in composed)
    return "".join(_clusters(" ".join("".join(kept).split())))


def wrapped(name: str, face: FreeTypeFont, width: float, most: int = 3) -> list[str]:
    """The name in at most `most` lines no wider than `width` pixels, broken at spaces where there are any.

    What is too long ends in an ellipsis. A name without anything to draw is no line at all.
    """
    lines = list(_lines(harmless(name), face, width))
    if len(lines) <= most:
        return lines
    last = list(_clusters(lines[most - 1]))
    while last and face.getlength(visual("".join(last) + "…", face)) > width:
        last.pop()
    return [*lines[: most - 1], "".join(last).rstrip() + "…"]


def _lines(text: str, face: FreeTypeFont, width: float) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if face.getlength(visual(longer, face)) <= width:
            line = longer
            continue
        if line:
            yield line
        *full, line = _broken(word, face, width)
        yield from full
    if line:
        yield line


def _broken(word: str, face: FreeTypeFont, width: float) -> Iterator[str]:
    """A word in pieces that fit, never between a letter and its marks; one that fits is its own piece."""
    piece = ""
    for cluster in _clusters(word):
        if piece and face.getlength(visual(piece + cluster, face)) > width:
            yield piece
            piece = ""
        piece += cluster
    yield piece


def _clusters(text: str) -> Iterator[str]:
    """What a reader would call letters, near enough: a character with the marks and joiners that follow it."""
    cluster = ""
    for c in text:
        belongs = unicodedata.category(c)[0] == "M" or c in _JOINERS or cluster.endswith("\u200d")
        if cluster and not belongs:
            yield cluster[:_LONGEST_CLUSTER]
            cluster = ""
        cluster += c
    if cluster:
        yield cluster[:_LONGEST_CLUSTER]


# --- where Raqm is not --------------------------------------------------------------------------------------


def visual(line: str, face: FreeTypeFont) -> str:
    """The line as the font's layout engine wants it: as it is for Raqm, else from left to right and joined."""
    from PIL.ImageFont import Layout

    if face.layout_engine == Layout.RAQM or not any(_goes_left(c) for c in line):
        return line
    clusters = list(_clusters(_joined(line)))
    levels = _levels(clusters)
    for level in range(max(levels), 0, -1):
        _reverse_runs(clusters, levels, level)
    return "".join(clusters)


def _goes_left(c: str) -> bool:
    return unicodedata.bidirectional(c) in ("R", "AL")


def _levels(clusters: list[str]) -> list[int]:
    """Unicode's bidirectional algorithm as far as a name goes: runs of an odd level are read to the left."""
    directions = [_direction(cluster[0]) for cluster in clusters]
    for at in range(1, len(clusters) - 1):
        if directions[at - 1] == directions[at + 1] == "D" and clusters[at] in ".,:/-+":
            directions[at] = "D"  # 99.5 is one number
    base = next((d for d in directions if d in "LR"), "L")
    strong = base
    for at, direction in enumerate(directions):
        if direction == "D" and strong == "L":
            directions[at] = "L"
        elif direction in "LR":
            strong = direction
    directions = [
        base if cluster in _BRACKETS else d for cluster, d in zip(clusters, directions, strict=True)
    ]
    levels = {"L": 0 if base == "L" else 2, "R": 1, "D": 2}
    return [levels[_neutral(directions, at, base) if d == "N" else d] for at, d in enumerate(directions)]


def _neutral(directions: list[str], at: int, base: str) -> str:
    """The direction of what has none: that of its neighbours when they agree, the name's when they do not."""
    before = next((d for d in reversed(directions[:at]) if d != "N"), base)
    after = next((d for d in directions[at:] if d != "N"), base)
    if before in "RD" and after in "RD":
        return "R"  # a number goes with the words it stands among
    return before if before == after else base


def _direction(c: str) -> str:
    """L and R for letters, D for digits, N for what has no direction of its own."""
    kind = unicodedata.bidirectional(c)
    return {"L": "L", "R": "R", "AL": "R", "EN": "D", "AN": "D"}.get(kind, "N")


def _reverse_runs(clusters: list[str], levels: list[int], level: int) -> None:
    start = None
    for at in range(len(clusters) + 1):
        inside = at < len(clusters) and levels[at] >= level
        if inside and start is None:
            start = at
        elif not inside and start is not None:
            run = clusters[start:at][::-1]
            clusters[start:at] = [c.translate(_MIRRORED) for c in run] if level % 2 else run
            levels[start:at] = levels[start:at][::-1]
            start = None


_BRACKETS = frozenset("()[]{}")
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


@cache
def _forms() -> dict[str, dict[str, str]]:
    """letter (or lam with alef) -> isolated, final, initial, medial -> the character that has that shape."""
    forms: dict[str, dict[str, str]] = {_TATWEEL: dict.fromkeys(("initial", "medial", "final"), _TATWEEL)}
    for code in (*range(0xFB50, 0xFDFC), *range(0xFE70, 0xFEFD)):
        kind, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        text = "".join(chr(int(letter, 16)) for letter in letters)
        if kind.startswith("<") and (
            len(text) == 1 or (text[0] == "\u0644" and text[1] in "\u0622\u0623\u0625\u0627")
        ):
            forms.setdefault(text, {}).setdefault(kind.strip("<>"), chr(code))
    return forms


def _joined(line: str) -> str:
    """Arabic letters in the shapes they take beside one another, from Unicode's presentation forms."""
    forms = _forms()
    letters: list[str] = []
    for c in line:
        if letters and len(letters[-1]) == 1 and letters[-1] + c in forms:
            letters[-1] += c
        else:
            letters.append(c)
    spoken = [at for at, c in enumerate(letters) if unicodedata.category(c[0])[0] != "M"]
    leads_on = {
        a: "initial" in forms.get(letters[a], {}) and "final" in forms.get(letters[b], {})
        for a, b in pairwise(spoken)
    }
    follows = {b: leads_on[a] for a, b in pairwise(spoken)}
    shapes = {
        (False, False): "isolated",
        (True, False): "final",
        (False, True): "initial",
        (True, True): "medial",
    }
    return "".join(
        forms.get(c, {}).get(shapes[follows.get(at, False), leads_on.get(at, False)], c)
        for at, c in enumerate(letters)
    )
