"""Files that keep the vectors of large collections ready to be searched, in a folder beside the store.

Such a file is a copy, made from the store and worth nothing without it. The store names the one valid file of a
collection by a random token; whatever else lies in the folder was never finished, or belongs to another state
of the store, and is ignored until it is swept away. See `vector_file` for what is in a file and may change there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.vector_file import Base, Batches, Identity

_PART = ".part"

# A part that was not written to for so long was left by a process that ended.
_GIVEN_UP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is written and not yet the store's: `rows` faces, none of a higher number than `last`."""

    path: Path
    token: str
    rows: int
    last: int


class VectorFiles:
    """The folder of one store."""

    def __init__(self, store: Path | None, account_id: str) -> None:
        self._folder = None if store is None else store.with_name(store.name + "-vectors")
        self._account = account_id.encode()

    @property
    def possible(self) -> bool:
        """Whether there is a place for files at all."""
        return self._folder is not None and sys.byteorder == "little"

    def open(self, collection: int, token: str | None, rows: int = 0) -> Base | None:
        """The file of that token, mapped; None when it is missing, torn, of fewer rows, or another's."""
        from facesearch.engine import vector_file

        if token is None or self._folder is None:
            return None
        try:
            with self._path(collection, token).open("rb") as file:
                base = vector_file.mapped(file, self._identity(collection, token))
        except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
            return None
        return base if base is not None and rows <= base.written <= len(base.rows) else None

    def write(self, collection: int, batches: Batches, count: int, dimensions: int) -> Part:
        """Write a file of all these faces, on disk when this returns. Raises OSError."""
        from facesearch.engine import vector_file

        assert self._folder is not None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        token = secrets.token_hex(16)
        path = self._path(collection, token).with_suffix(_PART)
        try:
            with open(path, "x+b", opener=_for_owner) as file:
                identity = self._identity(collection, token)
                rows, last = vector_file.fill(file, identity, batches, count, dimensions)
            return Part(path, token, rows, last)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def being_written(self, collection: int) -> bool:
        """Whether some process is writing a new file for the collection, as far as can be told."""
        return any(not _given_up(path) for path in self._files(f"{collection}-*{_PART}"))

    def put_in_place(self, part: Part, tokens: set[str]) -> bool:
        """Make a part the file of its token, unless it was taken away; then sweep out what no token names."""
        try:
            part.path.rename(part.path.with_suffix(""))
        except OSError:
            return False
        for path in self._files("*"):
            named = path.name.partition("-")[2] in tokens | {part.token}
            if _given_up(path) if path.suffix == _PART else not named:
                with contextlib.suppress(OSError):
                    path.unlink()
        return True

    def discard(self, part: Part) -> None:
        """Take away a part that holds true no more."""
        with contextlib.suppress(OSError):
            part.path.unlink()

    def append(
        self, collection: int, base: Base, numbers: NDArray[np.int64], matrix: NDArray[np.float32]
    ) -> None:
        """Append faces to a mapped file that has room for them. Raises OSError.

        For use inside a transaction that writes, so that one process at a time does it.
        """
        from facesearch.engine import vector_file

        assert base.token is not None
        with self._path(collection, base.token).open("r+b") as file:
            vector_file.append(file, base, numbers, matrix)

    def erase(self, collection: int, numbers: Iterable[int]) -> None:
        """Overwrite faces wherever they are; a file that cannot be written goes whole. Raises OSError if it stays.

        For use inside the transaction that deletes them, so that one process at a time erases.
        """
        gone = list(numbers)
        for path in self._files(f"{collection}-*") if gone else ():
            if path.suffix == _PART or not self._erased(path, collection, gone):
                path.unlink(missing_ok=True)

    def checked(self, collection: int, token: str) -> None:
        """Take back that faces were erased: nobody erases now, and the file holds what the store holds."""
        from facesearch.engine import vector_file

        with contextlib.suppress(OSError), self._path(collection, token).open("r+b") as file:
            vector_file.checked(file)

    def remove(self, collection: int) -> None:
        """Delete all files of a collection."""
        for path in self._files(f"{collection}-*"):
            path.unlink(missing_ok=True)

    def _path(self, collection: int, token: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{collection}-{token}"

    def _identity(self, collection: int, token: str) -> Identity:
        from facesearch.engine.vector_file import Identity

        return Identity(self._account, collection, token)

    def _files(self, pattern: str) -> list[Path]:
        return [] if self._folder is None else list(self._folder.glob(pattern))

    def _erased(self, path: Path, collection: int, gone: list[int]) -> bool:
        from facesearch.engine import vector_file

        base = self.open(collection, path.name.partition("-")[2])
        if base is None:
            return False
        try:
            with path.open("r+b", buffering=0) as file:
                vector_file.erase(file, base, gone)
        except OSError:
            return False
        return True


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _given_up(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _GIVEN_UP_SECONDS
    except OSError:
        return True
