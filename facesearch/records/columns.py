"""Column types that mean the same on SQLite and on Postgres."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# SQLite numbers rows by itself only in a column of the type INTEGER, which holds 64 bits there anyway.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

# Names sort by code point on both databases, whatever locale the Postgres server was set up with.
Name = Text().with_variant(Text(collation="C"), "postgresql")

_ESCAPED = "escaped:"


class Json(TypeDecorator[Any]):
    """A JSON value, on Postgres in its binary form; None is NULL.

    Postgres' own types are loaded for a Postgres database alone: that takes a while.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return self.impl_instance
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, in UTC. SQLite keeps no zone, so it is given UTC without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PathText(TypeDecorator[str]):
    """A file's path, any that Python can name, given back exactly.

    A file name need not be Unicode; Python then puts lone surrogates into it, which no database stores. Such
    a path is kept as "escaped:" and its percent-encoding, and so is one that begins with that word itself.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (storable(value) and not value.startswith(_ESCAPED)):
            return value
        return _ESCAPED + quote(value, errors="surrogatepass")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(_ESCAPED):
            return value
        return unquote(value.removeprefix(_ESCAPED), errors="surrogatepass")


class Remark(TypeDecorator[str]):
    """A sentence for people. What a database cannot store in it is shown as a backslash escape."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value


def storable(value: Any) -> bool:
    """Whether both databases can store this text, or all text of a JSON value: no NUL, no lone surrogate."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item or any("\ud800" <= character <= "\udfff" for character in item):
                return False
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
    return True
