"""Text made safe to show and to hand on: names, paths and reasons come from files that anybody may have made.

A terminal obeys control characters, a spreadsheet computes what looks like a formula, and a stream whose encoding
lacks a character raises. Each of the three outputs has its own answer here, and none of them loses the text.
"""

from __future__ import annotations

import json
import sys

from facesearch.plain import REORDERING, plain

_FORMULA = frozenset("=+-@")

# JSON escapes the controls below 0x20 by itself; a terminal also obeys these. They can stand only inside strings.
_JSON_ESCAPES = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, *map(ord, REORDERING))
}


def cell(value: object) -> str:
    """A value for a CSV cell; text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value)
    text = plain(value)
    return f"'{text}" if text[:1] in _FORMULA else text


def json_text(value: object, *, indent: int | None = None, encoding: str | None = None) -> str:
    """JSON in readable Unicode, or all in escapes where the encoding (stdout's, if not said) cannot take it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent).translate(_JSON_ESCAPES)
    try:
        text.encode(encoding or sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, indent=indent)
    return text


def encodable(text: str, encoding: str | None = None) -> str:
    """The text with an escape for each character that the encoding (stdout's, if not said) lacks."""
    encoding = encoding or sys.stdout.encoding
    return text.encode(encoding, "backslashreplace").decode(encoding)
