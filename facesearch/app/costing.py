"""What the calls of the service have cost, and what a month of them is called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain import Usage


class Costing(Bound):
    """Count and price what the service was asked."""

    def usage(self, month: date | None = None) -> Iterator[Usage]:
        """Billed calls by month, engine and operation with their cost; with `month`, its first day, of that one.

        Calls are counted for every engine, and priced as AWS would; only AWS sends a bill.
        """
        with self._database.read() as records:
            yield from workflows.costing.priced(records.usage(month), self._prices)
