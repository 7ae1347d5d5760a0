"""HTML that is safe by the way it is made: text becomes HTML here, once, and nowhere else.

An element's children are text, which is escaped, unless they are Html. Putting two pieces together with `+` or
`join` gives text again, which is then escaped as a whole: a mistake shows on the page and opens no door.
"""

from __future__ import annotations

from html import escape

from facesearch.plain import plain

_VOID = frozenset({"br", "img", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element. A child or attribute of None is left out, an attribute of True has no value.

    Names are written by us: `class_` is class, and `_` inside a name is `-`.
    """
    start = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{start}>")
    return Html(f"<{name}{start}>{joined(*children)}</{name}>")


def joined(*pieces: str | None) -> Html:
    """Pieces one after another: Html as it is, text escaped."""
    return Html("".join(piece if isinstance(piece, Html) else _text(piece) for piece in pieces if piece))


def named(text: str) -> Html:
    """A name or a path, which runs in a direction of its own and leaves that of the text around it alone."""
    return element("bdi", text)


def _text(text: str) -> str:
    return escape(plain(text))


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_text(str(value))}"'
