"""AWS's default quotas, from a dated table that is shipped."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "quotas.toml"


def index_faces(region: str) -> float:
    """IndexFaces calls a second that an account may make in a region, unless AWS granted it more."""
    table = _table()
    return float(table["regions"].get(region, table["elsewhere"]))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
