from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

from facesearch.domain import Usage
from facesearch.records import usage as module
from facesearch.records.database import Database


def add(database, moment, engine, **calls):
    with patch.object(module, "datetime") as clock, database.begin() as records:
        clock.now.return_value = moment
        records.add_calls(engine, calls)


def test_calls_add_up_by_month_engine_and_operation(url):
    database = Database(url)
    add(database, datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "embedded", IndexFaces=3, CompareFaces=0)
    add(database, datetime(2026, 2, 1, tzinfo=UTC), "embedded", IndexFaces=2, SearchFacesByImage=1)
    add(database, datetime(2026, 2, 1, tzinfo=UTC), "embedded", IndexFaces=5)
    add(database, datetime(2026, 2, 28, tzinfo=UTC), "embedded", IndexFaces=10_000_000_000)
    add(database, datetime(2026, 2, 28, tzinfo=UTC), "aws:us-east-1", IndexFaces=1)
    january, february = datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2026, 2, 1, tzinfo=UTC).date()
    of_february = [
        Usage(february, "aws:us-east-1", "IndexFaces", 1),
        Usage(february, "embedded", "IndexFaces", 10_000_000_007),
        Usage(february, "embedded", "SearchFacesByImage", 1),
    ]
    with database.read() as records:
        assert list(records.usage()) == [Usage(january, "embedded", "IndexFaces", 3), *of_february]
        assert list(records.usage(february)) == of_february
        assert list(records.usage(january)) == [Usage(january, "embedded", "IndexFaces", 3)]
    database.close()
