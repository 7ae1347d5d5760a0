"""What calls cost: a dated table of prices, the cost of calls by it, and a budget that calls are taken from."""

from __future__ import annotations

import threading
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from facesearch.domain import Usage
from facesearch.errors import BudgetError, ConfigurationError


class Records(Protocol):
    """What costing asks of the records."""

    def usage(self, month: date | None = None) -> Iterator[Usage]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


@dataclass(frozen=True, slots=True)
class Tier:
    """So many calls of a month at one price; None is all that are left."""

    calls: int | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Operations whose calls are counted together."""

    name: str
    operations: frozenset[str]
    tiers: tuple[Tier, ...]

    def cost(self, calls: int, already: int = 0) -> Decimal:
        """Of so many calls, in a month that has had `already` of them."""
        total = Decimal(0)
        for tier in self.tiers:
            room = calls if tier.calls is None else max(0, min(calls, tier.calls - already))
            total += room * tier.price
            calls -= room
            already = 0 if tier.calls is None else max(0, already - tier.calls)
        return total


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices, with the day it was true."""

    as_of: date
    source: str
    groups: tuple[Group, ...]
    face_month: Decimal

    def group_of(self, operation: str) -> Group | None:
        """The group an operation is billed in; None for one that is free."""
        return next((group for group in self.groups if operation in group.operations), None)

    def billed(self, calls: Mapping[str, int]) -> dict[str, int]:
        """Those of the calls that cost money."""
        return {operation: count for operation, count in calls.items() if self.group_of(operation)}

    def cost(self, calls: Mapping[str, int], already: Mapping[str, int] | None = None) -> Decimal:
        """What calls by operation cost, in a month that has had `already` of them."""
        had = already or {}
        return sum(
            (
                group.cost(
                    sum(count for name, count in calls.items() if name in group.operations),
                    sum(count for name, count in had.items() if name in group.operations),
                )
                for group in self.groups
            ),
            Decimal(0),
        )


class Budget:
    """Money that calls are taken from before they are made. Safe to share between threads."""

    def __init__(self, limit: Decimal, prices: Prices, already: Mapping[str, int]) -> None:
        self.limit = limit
        self._prices = prices
        self._already = already
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        """What the calls so far cost."""
        with self._lock:
            return self._prices.cost(self._calls, self._already)

    def take(self, operation: str) -> None:
        """Set aside the money for a call. Raises BudgetError, and sets none aside, when not enough is left."""
        with self._lock:
            cost = self._prices.cost(self._calls + Counter({operation: 1}), self._already)
            if cost > self.limit:
                raise BudgetError(
                    f"another {operation} would bring this run to ${cost.normalize():f}, over its limit of "
                    f"${self.limit:f}: nothing is lost; run the same with a higher --max-cost to continue"
                )
            self._calls[operation] += 1

    def give_back(self, operation: str) -> None:
        """Free the money of a call that the service refused, and so does not bill."""
        with self._lock:
            self._calls[operation] -= 1


def this_month() -> date:
    """The first day of the month, in UTC."""
    return datetime.now(UTC).date().replace(day=1)


def calls_this_month(database: Database, engine: str) -> dict[str, int]:
    """How many calls of each operation an engine has answered this month."""
    with database.read() as records:
        return {one.operation: one.calls for one in records.usage(this_month()) if one.engine == engine}


def priced(usages: Iterable[Usage], prices: Prices) -> Iterator[Usage]:
    """Each usage with its cost at the table's prices.

    What several operations of one group cost together is shared out in the order they come in.
    """
    had: Counter[tuple[date, str, str]] = Counter()
    for usage in usages:
        group = prices.group_of(usage.operation)
        if group is None:
            yield usage
            continue
        counted = (usage.month, usage.engine, group.name)
        yield replace(usage, cost=group.cost(usage.calls, had[counted]))
        had[counted] += usage.calls


# --- the table, as it is written down ------------------------------------------------------------------------


def parse(text: str, where: str) -> Prices:
    """A table of prices out of TOML. Raises ConfigurationError, naming the file and what is wrong with it."""
    try:
        table = tomllib.loads(text)
        prices = Prices(
            as_of=_day(table["as_of"]),
            source=str(table["source"]),
            groups=tuple(_group(group) for group in table["groups"]),
            face_month=_money(table["face_month"]),
        )
    except KeyError as exc:
        raise ConfigurationError(
            f"the prices in {where} lack {exc}; compare them with the shipped file"
        ) from exc
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as exc:
        raise ConfigurationError(f"the prices in {where} cannot be read: {exc}") from exc
    return prices


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"as_of must be a day such as 2026-10-07, not {value!r}")
    return value


def _group(table: Mapping[str, Any]) -> Group:
    tiers = tuple(Tier(_calls(tier.get("calls")), _money(tier["price"])) for tier in table["tiers"])
    if not tiers or any((tier.calls is None) != (tier is tiers[-1]) for tier in tiers):
        raise ValueError(f"the last tier of {table['name']}, and no other, must be without `calls`")
    return Group(str(table["name"]), frozenset(map(str, table["operations"])), tiers)


def _calls(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"calls must be a whole number of 1 or more, not {value!r}")
    return value


def _money(value: object) -> Decimal:
    try:
        money = Decimal(str(value))
    except InvalidOperation as exc:
        raise ValueError(f"{value!r} is not an amount of money") from exc
    if not money.is_finite() or money < 0:
        raise ValueError(f"{value!r} is not an amount of money")
    return money
