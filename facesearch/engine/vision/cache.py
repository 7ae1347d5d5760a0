"""Tables and networks that were built once, kept in a folder for the next process.

A file is whole or not there: it is written beside its place and moved. Every part of it carries a checksum, and
what cannot be read is built again and replaced. A folder that cannot be written only costs time.
"""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]  # of NumPy arrays, which are not all of one type


def kept(folder: Path | None, name: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays of that name: out of the folder when they are there and sound, else built, and kept there.

    `name` must change with whatever would change the arrays. Without a folder they are built each time.
    """
    if folder is None:
        return build()
    path = folder / f"{name}.npz"
    try:
        return _read(path)
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile):
        arrays = build()
        _write(path, arrays)
        return arrays


def _read(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _write(path: Path, arrays: Arrays) -> None:
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
