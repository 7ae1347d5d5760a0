"""Tables and networks that were built once, kept in a folder for the next process.

A file is whole or not there: it is written beside its place and moved. It begins with the SHA-256 of the rest, and
one that does not is built again and replaced. A folder that cannot be written only costs time.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]  # of NumPy arrays, which are not all of one type

_DIGEST = hashlib.sha256().digest_size


def kept(folder: Path | None, name: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays of that name: out of the folder when they are there and sound, else built, and kept there.

    `name` must change with whatever would change the arrays. Without a folder they are built each time.
    """
    if folder is None:
        return build()
    path = folder / f"{name}.cache"
    arrays = _read(path)
    if arrays is None:
        arrays = build()
        _write(path, arrays)
    return arrays


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None when it is not there or not sound."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, content = data[:_DIGEST], memoryview(data)[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        return None
    stream = BytesIO(content)
    return {str(name): np.load(stream) for name in np.load(stream)}


def _write(path: Path, arrays: Arrays) -> None:
    content = BytesIO()
    for one in (list(arrays), *arrays.values()):  # an archive would take three times as long to read
        np.save(content, one, allow_pickle=False)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(hashlib.sha256(content.getbuffer()).digest() + content.getbuffer())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
