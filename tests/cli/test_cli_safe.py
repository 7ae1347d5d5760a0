"""Hostile text, made harmless on its way to a terminal, a spreadsheet and a pipe."""

import json

import pytest

from facesearch.cli.safe import cell, encodable, json_text
from facesearch.plain import plain


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_compute_gets_an_apostrophe(formula):
    assert cell(formula) == f"'{formula}"


def test_other_cells_are_as_they_are():
    assert [cell(value) for value in ("a=b", -0.25, 3, True, None, "x\ny")] == [
        "a=b", "-0.25", "3", "true", "", r"x\ny",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize(
    "text", ["plain", "Zoë", "山田", "👩‍🚀", "\udcff.jpg", "\x1b[2J", "\x9b31m", "a\u202eb\u2028c", '"\\']
)
def test_json_can_be_read_back_in_every_encoding_and_holds_nothing_that_a_terminal_obeys(text, encoding):
    written = json_text({"name": text}, encoding=encoding)
    assert json.loads(written.encode(encoding).decode(encoding)) == {"name": text}
    assert plain(written) == written


def test_json_is_readable_where_the_encoding_allows():
    assert json_text("Zoë 山田", encoding="utf-8") == '"Zoë 山田"'
    assert json_text("Zoë 山田", encoding="latin-1") == r'"Zo\u00eb \u5c71\u7530"'


def test_a_number_that_json_lacks_is_refused_rather_than_written():
    with pytest.raises(ValueError, match="JSON"):
        json_text(float("nan"), encoding="utf-8")


def test_characters_that_an_encoding_lacks_are_escaped():
    assert encodable("Zoë 山 …", "latin-1") == r"Zoë \u5c71 \u2026"
    assert encodable("Zoë 山 …", "utf-8") == "Zoë 山 …"
