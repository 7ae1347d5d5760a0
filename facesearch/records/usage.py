"""How many calls the service answered, by day, engine and operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from facesearch.domain import Usage
from facesearch.records.tables import USAGE
from facesearch.records.unit import Unit


class UsageRecords(Unit):
    """The count of calls. It names no photo and no person, and so outlives them."""

    def add_calls(self, engine: str, calls: Mapping[str, int]) -> None:
        """Add so many answered calls of each operation to today's (UTC)."""
        rows = [
            {"day": datetime.now(UTC).date(), "engine": engine, "operation": operation, "calls": count}
            for operation, count in sorted(calls.items())
            if count
        ]
        if rows:
            statement = self._insert(USAGE)
            total = USAGE.c.calls + statement.excluded.calls
            unique = ["day", "engine", "operation"]
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=unique, set_={"calls": total}), rows
            )

    def usage(self, month: date | None = None) -> Iterator[Usage]:
        """Calls by month, engine and operation, the oldest first; with `month`, its first day, of that."""
        statement = select(USAGE.c.day, USAGE.c.engine, USAGE.c.operation, USAGE.c.calls)
        if month is not None:
            following = (month.replace(day=28) + timedelta(days=7)).replace(day=1)
            statement = statement.where(USAGE.c.day >= month, USAGE.c.day < following)
        totals: Counter[tuple[date, str, str]] = Counter()
        for day, engine, operation, calls in self._connection.execute(statement):
            totals[day.replace(day=1), engine, operation] += calls
        for (first, engine, operation), calls in sorted(totals.items()):
            yield Usage(first, engine, operation, calls)
