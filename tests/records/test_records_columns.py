from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from facesearch.records.columns import PathText, UtcDateTime, storable

DIALECTS = [sqlite.dialect(), postgresql.dialect()]
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(path=ANY_TEXT | ANY_TEXT.map("escaped:".__add__))
def test_every_path_is_stored_as_plain_text_and_comes_back_exactly(path):
    column, dialect = PathText(), DIALECTS[0]
    stored = column.process_bind_param(path, dialect)
    assert "\0" not in stored
    assert stored.encode("utf-8").decode() == stored
    assert column.process_result_value(stored, dialect) == path


@given(text=ANY_TEXT)
def test_text_is_storable_when_it_is_utf_8_without_nul(text):
    expected = "\0" not in text and text == text.encode("utf-8", "ignore").decode()
    assert storable(text) == storable({"a": [1, None, (text,)]}) == storable({text: True}) == expected


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_time_of_any_zone_is_stored_and_comes_back_in_utc(dialect):
    column = UtcDateTime()
    time = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    back = column.process_result_value(column.process_bind_param(time, dialect), dialect)
    assert (back, back.tzinfo) == (time, UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), DIALECTS[0])


@pytest.mark.parametrize("column", [UtcDateTime(), PathText()], ids=["time", "path"])
def test_nothing_stays_nothing(column):
    assert column.process_bind_param(None, DIALECTS[0]) is None
    assert column.process_result_value(None, DIALECTS[0]) is None
