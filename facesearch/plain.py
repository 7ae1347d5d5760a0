"""Text on one line with nothing in it that a reader cannot see: names and paths may be anything at all."""

from __future__ import annotations

import unicodedata

# Characters that reorder the text around them, so that one thing can be made to look like another.
REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line and paragraph separators


def plain(text: str) -> str:
    """The text on one line, with what a terminal would obey (ESC, newline, reordering) written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in REORDERING or unicodedata.category(character) in _UNSEEN:
        return character.encode("unicode_escape").decode("ascii")
    return character
