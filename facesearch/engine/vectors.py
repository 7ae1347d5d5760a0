"""Files that keep the vectors of large collections ready to be searched, in a folder beside the store.

Such a file is a copy, made from the store and worth nothing without it. It is mapped, not read: processes share
its pages, and the system takes them back when it needs the memory. The store names the one valid file of a
collection by a random token; whatever else lies in the folder was never finished, or belongs to another state of
the store, and is ignored until it is swept away. A file never grows: what is stored later is read from the store.

Faces are erased in place, in the transaction that deletes them. The first byte of a file says that this has begun;
only who has checked the file against the store, with no writer at work, takes that back.

Layout: header (a page or more), matrix, table, halves, numbers: see `_Layout` and `scan`. Little-endian.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import secrets
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.scan import Projection, Rows, Table

    Batches = Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]

_VERSION = 1

# Magic, version, account, collection, token, rows, dimensions, directions, reach, CRC-32.
_HEADER = struct.Struct("<8sI12sq32sqIIdI")
_MAGIC = b"FSvector"
_HEADER_AT = 8  # after the byte that says whether faces were erased
_PAGE = 4096

_PART = ".part"
_PROJECTED_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The bulk of a collection's vectors, in the order of storing. `token` names the state of the store's file."""

    rows: Rows
    table: Table
    token: str | None
    mapped: bool
    state: NDArray[np.uint8]

    @property
    def erasing(self) -> bool:
        """Whether faces were erased since the file was last checked."""
        return bool(self.state[0])

    @property
    def last(self) -> int:
        """The number that all later faces exceed."""
        return int(self.rows.numbers.max(initial=0))

    def live(self) -> int:
        """How many of the rows are not erased."""
        import numpy as np

        return int(np.count_nonzero(self.rows.numbers))

    def keep(self, numbers: list[int]) -> None:
        """Erase what is not among these numbers, of a base in memory."""
        import numpy as np

        gone = ~np.isin(self.rows.numbers, np.array(numbers, np.int64))
        self.rows.numbers[gone] = 0
        self.rows.halves[gone] = np.inf
        self.table.rows[gone] = 0
        self.table.rows[gone, -1] = -np.inf
        self.rows.matrix[gone] = 0


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the parts of a file of `rows` vectors lie, in bytes."""

    rows: int
    dimensions: int
    directions: int

    @property
    def width(self) -> int:
        return self.directions + 2

    @property
    def projection(self) -> int:
        return _HEADER_AT + _HEADER.size

    @property
    def matrix(self) -> int:
        end = self.projection + 4 * self.dimensions * (1 + self.directions)
        return -(-end // _PAGE) * _PAGE

    @property
    def table(self) -> int:
        return self.matrix + 4 * self.dimensions * self.rows

    @property
    def halves(self) -> int:
        return self.table + 4 * self.width * self.rows

    @property
    def numbers(self) -> int:
        return self.halves + 4 * self.rows + (4 * self.rows) % 8

    @property
    def size(self) -> int:
        return self.numbers + 8 * self.rows


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

    def open(self, collection: int, token: str | None) -> Base | None:
        """The file of that token, mapped; None when it is missing, torn, or another's."""
        if token is None or self._folder is None:
            return None
        try:
            with self._path(collection, token).open("rb") as file:
                pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
            return None
        layout = self._checked(pages, collection, token)
        return None if layout is None else _mapped(pages, layout, token)

    def write(self, collection: int, batches: Batches, dimensions: int) -> Part:
        """Write a file of all these faces, on disk when this returns. Raises OSError."""
        assert self._folder is not None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        token = secrets.token_hex(16)
        path = self._path(collection, token).with_suffix(_PART)
        try:
            with open(path, "x+b", opener=_for_owner) as file:
                rows, last = self._fill(file, collection, token, batches, dimensions)
            return Part(path, token, rows, last)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def put_in_place(self, part: Part, tokens: set[str]) -> bool:
        """Make a part the file of its token, unless it was taken away; then sweep out what no token names."""
        try:
            part.path.rename(part.path.with_suffix(""))
        except OSError:
            return False
        for path in self._files("*"):
            if path.suffix != _PART and path.name.partition("-")[2] not in tokens | {part.token}:
                with contextlib.suppress(OSError):
                    path.unlink()
        return True

    def discard(self, part: Part) -> None:
        """Take away a part that holds true no more."""
        with contextlib.suppress(OSError):
            part.path.unlink()

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
        with contextlib.suppress(OSError), self._path(collection, token).open("r+b") as file:
            file.write(b"\0")

    def remove(self, collection: int) -> None:
        """Delete all files of a collection."""
        for path in self._files(f"{collection}-*"):
            path.unlink(missing_ok=True)

    def _path(self, collection: int, token: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{collection}-{token}"

    def _files(self, pattern: str) -> list[Path]:
        return [] if self._folder is None else list(self._folder.glob(pattern))

    def _checked(self, pages: mmap.mmap, collection: int, token: str) -> _Layout | None:
        """The layout of a file whose header is whole and names this very store, collection and token."""
        if len(pages) < _HEADER_AT + _HEADER.size:
            return None
        *named, rows, dimensions, directions, _, checksum = _HEADER.unpack_from(pages, _HEADER_AT)
        layout = _Layout(rows, dimensions, directions)
        if (
            named != [_MAGIC, _VERSION, self._account, collection, token.encode()]
            or len(pages) != layout.size
        ):
            return None
        header = pages[_HEADER_AT : layout.projection - 4] + pages[layout.projection : layout.matrix]
        return layout if zlib.crc32(header) == checksum else None

    def _erased(self, path: Path, collection: int, gone: list[int]) -> bool:
        import numpy as np

        base = self.open(collection, path.name.partition("-")[2])
        if base is None:
            return False
        layout = _Layout(len(base.rows), base.rows.matrix.shape[1], base.table.projection.basis.shape[1])
        rows = np.flatnonzero(np.isin(base.rows.numbers, gone)).tolist()
        excluded = struct.pack(f"<{layout.width}f", *[0.0] * (layout.width - 1), -np.inf)
        try:
            with path.open("r+b", buffering=0) as file:
                file.write(b"\1")
                for start, row in (
                    (layout.numbers, bytes(8)),  # first: see the end of scan._ranked
                    (layout.halves, struct.pack("<f", np.inf)),
                    (layout.table, excluded),
                    (layout.matrix, bytes(4 * layout.dimensions)),
                ):
                    for position in rows:
                        file.seek(start + position * len(row))
                        file.write(row)
                os.fsync(file.fileno())
        except OSError:
            return False
        return True

    def _fill(
        self, file: BinaryIO, collection: int, token: str, batches: Batches, dimensions: int
    ) -> tuple[int, int]:
        """Write all of a file; how many rows it has, and the number of the last."""
        from facesearch.engine import scan

        layout = _Layout(0, dimensions, scan.directions_kept(dimensions))
        file.seek(layout.matrix)
        numbers, halves = _streamed(file, batches)
        layout = _Layout(len(numbers), dimensions, layout.directions)
        file.flush()
        pages = mmap.mmap(file.fileno(), layout.table, access=mmap.ACCESS_READ)
        matrix = _array(pages, "<f4", layout.matrix, (layout.rows, dimensions))
        projection = _fitted(matrix)
        reach = 0.0
        for table in _tables(projection, matrix):
            reach = max(reach, _reach(table))
            file.write(table.tobytes())
        file.write(halves.tobytes().ljust(layout.numbers - layout.halves, b"\0"))
        file.write(numbers.tobytes())
        file.seek(_HEADER_AT)
        file.write(self._header(layout, collection, token, projection, reach))
        file.flush()
        os.fsync(file.fileno())
        return layout.rows, int(numbers[-1])

    def _header(
        self, layout: _Layout, collection: int, token: str, projection: Projection, reach: float
    ) -> bytes:
        arrays = projection.mean.tobytes() + projection.basis.tobytes()
        arrays = arrays.ljust(layout.matrix - layout.projection, b"\0")
        named = (_MAGIC, _VERSION, self._account, collection, token.encode())
        fields = (*named, layout.rows, layout.dimensions, layout.directions, reach)
        checksum = zlib.crc32(_HEADER.pack(*fields, 0)[:-4] + arrays)
        return _HEADER.pack(*fields, checksum) + arrays


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def in_memory(batches: Batches, count: int, dimensions: int, token: str | None) -> Base:
    """What a file would hold, for a store that has none or cannot write it."""
    import numpy as np

    from facesearch.engine import scan

    numbers, matrix = np.empty(count, np.int64), np.empty((count, dimensions), np.float32)
    done = 0
    for some, vectors in batches:
        numbers[done : done + len(some)], matrix[done : done + len(some)] = some, vectors
        done += len(some)
    projection = _fitted(matrix)
    table = np.empty((count, scan.directions_kept(dimensions) + 2), np.float32)
    done = 0
    for part in _tables(projection, matrix):
        table[done : done + len(part)] = part
        done += len(part)
    reach = _reach(table)
    rows = scan.Rows(numbers, matrix, scan.half_squares(matrix))
    return Base(rows, scan.Table(projection, table, reach), token, mapped=False, state=np.zeros(1, np.uint8))


def _mapped(pages: mmap.mmap, layout: _Layout, token: str) -> Base:
    from facesearch.engine import scan

    reach = _HEADER.unpack_from(pages, _HEADER_AT)[-2]
    mean = _array(pages, "<f4", layout.projection, (layout.dimensions,))
    basis = _array(pages, "<f4", layout.projection + mean.nbytes, (layout.dimensions, layout.directions))
    rows = scan.Rows(
        numbers=_array(pages, "<i8", layout.numbers, (layout.rows,)),
        matrix=_array(pages, "<f4", layout.matrix, (layout.rows, layout.dimensions)),
        halves=_array(pages, "<f4", layout.halves, (layout.rows,)),
    )
    table = scan.Table(
        scan.Projection(mean, basis), _array(pages, "<f4", layout.table, (layout.rows, layout.width)), reach
    )
    return Base(rows, table, token, mapped=True, state=_array(pages, "u1", 0, (1,)))


def _array(pages: mmap.mmap, kind: str, start: int, shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    return np.frombuffer(pages, kind, math.prod(shape), start).reshape(shape)


def _streamed(file: BinaryIO, batches: Batches) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Write the vectors; their numbers and half squares."""
    import numpy as np

    from facesearch.engine import scan

    numbers, halves = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for some, vectors in batches:
        file.write(vectors.astype("<f4", copy=False).tobytes())
        numbers.append(some)
        halves.append(scan.half_squares(vectors))
    return np.concatenate(numbers), np.concatenate(halves)


def _reach(table: NDArray[np.float32]) -> float:
    """How far from the projection's mean the furthest vector lies."""
    return math.sqrt(-2 * float(table[:, -1].min()))


def _fitted(matrix: NDArray[np.float32]) -> Projection:
    from facesearch.engine import scan

    return scan.Projection.fitted(matrix[:: max(1, len(matrix) // scan.SAMPLE)][: scan.SAMPLE])


def _tables(projection: Projection, matrix: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(matrix), _PROJECTED_AT_ONCE):
        yield projection.table(matrix[start : start + _PROJECTED_AT_ONCE])
