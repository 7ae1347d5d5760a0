"""One file of vectors, ready to be searched: what lies where in it, and what may change while others read it.

It is mapped, not read: processes share its pages, and the system takes them back when it needs the memory. It has
room for more faces than it was made with; the store says how many of its rows count. Two things happen to it
later, each by one process at a time, inside a transaction that writes to the store:

- Faces are appended behind the rows that count, once in each place: a file that has been written to further than
  the store knows (a process was killed, or the store was brought back from a copy) is not appended to any more.
  Their numbers are on disk before their vectors: what is to be erased can be found, whatever interrupts this.
- Faces are erased in place. The first byte says that this has begun; only who has checked the file against the
  store, with no writer at work, takes that back.

Layout: header (a page or more), matrix, tiles, halves, numbers: see `Layout` and `scan`. Little-endian.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from facesearch.engine import scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Batches = Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]

_VERSION = 2

# What changes: whether faces were erased (1 byte), the rows that were written, the reach of the table.
_WRITTEN_AT = 8
_REACH_AT = 16

# Magic, version, rows of a tile, account, collection, token, capacity, dimensions, directions, CRC-32.
_HEADER = struct.Struct("<8sII12sq32sqIII")
_MAGIC = b"FSvector"
_HEADER_AT = 24
_PAGE = 4096

# Rows of a tile that are erased each on its own: a write for each of their cells.
_FEW = 16


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file must say it is: of which store's account, which collection, and by which token."""

    account: bytes
    collection: int
    token: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a file with room for `capacity` vectors (whole tiles) lie, in bytes."""

    capacity: int
    dimensions: int
    directions: int

    @classmethod
    def roomy(cls, rows: int, dimensions: int) -> Layout:
        """For so many rows, and a quarter more."""
        capacity = scan.tiles_for(rows + rows // 4) * scan.TILE
        return cls(capacity, dimensions, scan.directions_kept(dimensions))

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
    def tiles(self) -> int:
        return self.matrix + 4 * self.dimensions * self.capacity

    @property
    def halves(self) -> int:
        return self.tiles + 4 * self.width * self.capacity

    @property
    def numbers(self) -> int:
        return self.halves + 4 * self.capacity

    @property
    def size(self) -> int:
        return self.numbers + 8 * self.capacity

    def column(self, tile: int, column: int) -> int:
        """Where a column of a tile lies."""
        return self.tiles + 4 * scan.TILE * (tile * self.width + column)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The bulk of a collection's vectors, in the order of storing, with room for more. `token` names its file.

    `rows` and `tiles` show all the room there is; which of them count is the store's to say, or the maker's.
    """

    rows: scan.Rows
    projection: scan.Projection
    tiles: NDArray[np.float32]
    token: str | None
    mapped: bool
    erased: NDArray[np.uint8]
    begun: NDArray[np.int64]
    reached: NDArray[np.float64]

    @property
    def erasing(self) -> bool:
        """Whether faces were erased since the file was last checked."""
        return bool(self.erased[0])

    @property
    def written(self) -> int:
        """How many rows were ever written, or begun to be."""
        return int(self.begun[0])

    def holds(self, used: int) -> tuple[int, int]:
        """How many faces the first `used` rows hold, and the greatest number among them."""
        numbers = self.rows.numbers[:used]
        return int(np.count_nonzero(numbers)), int(numbers.max(initial=0))

    def shown(self, used: int) -> tuple[scan.Rows, scan.Table]:
        """The first `used` rows and their table."""
        table = scan.Table(self.projection, self.tiles, float(self.reached[0]))
        return self.rows.first(used), table.first(used)

    def append(self, numbers: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        """Append faces to a base in memory."""
        table = self.projection.table(matrix)
        start, stop = self.written, self.written + len(numbers)
        self.rows.numbers[start:stop], self.rows.matrix[start:stop] = numbers, matrix
        self.rows.halves[start:stop] = scan.half_squares(matrix)
        tiles, places = np.divmod(np.arange(start, stop), scan.TILE)
        self.tiles[tiles, :, places] = table
        self.reached[0] = max(self.reached[0], scan.reach_of(table))
        self.begun[0] = stop

    def keep(self, numbers: list[int]) -> None:
        """Erase what is not among these numbers, of a base in memory."""
        held = self.rows.numbers[: self.written]
        gone = np.flatnonzero((held != 0) & ~np.isin(held, np.array(numbers, np.int64)))
        self.rows.numbers[gone] = 0
        self.rows.halves[gone] = np.inf
        tiles, places = np.divmod(gone, scan.TILE)
        self.tiles[tiles, :, places] = _excluded(self.projection.width)
        self.rows.matrix[gone] = 0


def in_memory(batches: Batches, count: int, dimensions: int, token: str | None) -> Base:
    """What a file of `count` faces would hold, for a store that has none or cannot write it."""
    layout = Layout.roomy(count, dimensions)
    rows = scan.Rows(
        np.zeros(layout.capacity, np.int64),
        np.empty((layout.capacity, dimensions), np.float32),
        np.empty(layout.capacity, np.float32),
    )
    done = 0
    for some, vectors in batches:
        stop = done + len(some)
        rows.numbers[done:stop], rows.matrix[done:stop] = some, vectors
        rows.halves[done:stop] = scan.half_squares(vectors)
        done = stop
    projection = _fitted(rows.matrix[:done])
    tiles = np.zeros((layout.capacity // scan.TILE, layout.width, scan.TILE), np.float32)
    reach = 0.0
    for number, table in enumerate(_tables(projection, rows.matrix[:done])):
        tiles[number], reach = scan.tiled(table)[0], max(reach, scan.reach_of(table))
    erased, begun, reached = np.zeros(1, np.uint8), np.array([done], np.int64), np.array([reach])
    return Base(rows, projection, tiles, token, False, erased, begun, reached)


def mapped(file: BinaryIO, identity: Identity) -> Base | None:
    """A file, mapped; None when it is torn or another's. Raises ValueError for an empty file."""
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    layout = _checked(pages, identity)
    if layout is None:
        return None
    if hasattr(mmap, "MADV_RANDOM"):  # a few rows here and there are wanted, not what lies around them
        pages.madvise(mmap.MADV_RANDOM, layout.matrix, layout.tiles - layout.matrix)
    mean = _array(pages, "<f4", layout.projection, (layout.dimensions,))
    basis = _array(pages, "<f4", layout.projection + mean.nbytes, (layout.dimensions, layout.directions))
    rows = scan.Rows(
        numbers=_array(pages, "<i8", layout.numbers, (layout.capacity,)),
        matrix=_array(pages, "<f4", layout.matrix, (layout.capacity, layout.dimensions)),
        halves=_array(pages, "<f4", layout.halves, (layout.capacity,)),
    )
    tiles = _array(pages, "<f4", layout.tiles, (layout.capacity // scan.TILE, layout.width, scan.TILE))
    return Base(
        rows,
        scan.Projection(mean, basis),
        tiles,
        identity.token,
        True,
        erased=_array(pages, "u1", 0, (1,)),
        begun=_array(pages, "<i8", _WRITTEN_AT, (1,)),
        reached=_array(pages, "<f8", _REACH_AT, (1,)),
    )


def fill(
    file: BinaryIO, identity: Identity, batches: Batches, count: int, dimensions: int
) -> tuple[int, int]:
    """Write all of a new file of `count` faces, on disk when this returns: its rows, and the last one's number."""
    layout = Layout.roomy(count, dimensions)
    file.truncate(layout.size)  # what is not written is a hole
    file.seek(layout.matrix)
    numbers, halves = _streamed(file, batches)
    file.flush()
    pages = mmap.mmap(file.fileno(), layout.tiles, access=mmap.ACCESS_READ)
    matrix = _array(pages, "<f4", layout.matrix, (len(numbers), dimensions))
    projection = _fitted(matrix)
    reach = 0.0
    file.seek(layout.tiles)
    for table in _tables(projection, matrix):
        reach = max(reach, scan.reach_of(table))
        file.write(scan.tiled(table).tobytes())
    _put(file, layout.halves, halves.tobytes())
    _put(file, layout.numbers, numbers.tobytes())
    _put(file, _HEADER_AT, _header(layout, identity, projection))
    _put(file, _WRITTEN_AT, struct.pack("<qd", len(numbers), reach))
    _synced(file)
    return len(numbers), int(numbers.max(initial=0))


def append(file: BinaryIO, base: Base, numbers: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
    """Append faces to a mapped file behind all that was written, on disk when this returns."""
    layout, table, row = _layout_of(base), base.projection.table(matrix), base.written
    _put(file, _WRITTEN_AT, struct.pack("<q", row + len(numbers)))
    _put(file, layout.numbers + 8 * row, numbers.astype("<i8").tobytes())
    _synced(file)
    _put(file, layout.matrix + 4 * layout.dimensions * row, matrix.astype("<f4").tobytes())
    _put(file, layout.halves + 4 * row, scan.half_squares(matrix).tobytes())
    for start in range(row - row % scan.TILE, row + len(numbers), scan.TILE):
        first = max(start, row)
        some = table[first - row : start + scan.TILE - row]
        for column in range(layout.width):
            place = layout.column(start // scan.TILE, column) + 4 * (first - start)
            _put(file, place, some[:, column].tobytes())
    _put(file, _REACH_AT, struct.pack("<d", max(float(base.reached[0]), scan.reach_of(table))))
    _synced(file)


def erase(file: BinaryIO, base: Base, gone: list[int]) -> None:
    """Overwrite faces in a mapped file, on disk when this returns. `file` is unbuffered."""
    layout = _layout_of(base)
    rows = np.flatnonzero(np.isin(base.rows.numbers, gone)).tolist()  # those that do not count too
    if not rows:
        return
    _put(file, 0, b"\1")
    for row in rows:
        _put(file, layout.numbers + 8 * row, bytes(8))  # first: see the end of scan._ranked
    for row in rows:
        _put(file, layout.halves + 4 * row, struct.pack("<f", np.inf))
        _put(file, layout.matrix + 4 * layout.dimensions * row, bytes(4 * layout.dimensions))
    tiles, places = np.divmod(np.array(rows), scan.TILE)
    for tile in np.unique(tiles).tolist():
        _exclude(file, layout, base, tile, places[tiles == tile])
    _synced(file)


def _exclude(file: BinaryIO, layout: Layout, base: Base, tile: int, places: NDArray[np.int64]) -> None:
    """Overwrite rows of a tile: cell by cell, or when they are many with all that lies between."""
    for column, number in enumerate(_excluded(layout.width)):
        start = layout.column(tile, column)
        if len(places) <= _FEW:
            for place in places.tolist():
                _put(file, start + 4 * place, struct.pack("<f", number))
        else:
            cells = base.tiles[tile, column].copy()
            cells[places] = number
            _put(file, start, cells.tobytes())


def checked(file: BinaryIO) -> None:
    """Take back that faces were erased: nobody erases now, and the file holds what the store holds."""
    _put(file, 0, b"\0")


def _checked(pages: mmap.mmap, identity: Identity) -> Layout | None:
    """The layout of a file whose header is whole and says what it must."""
    if len(pages) < _HEADER_AT + _HEADER.size:
        return None
    *named, capacity, dimensions, directions, checksum = _HEADER.unpack_from(pages, _HEADER_AT)
    layout = Layout(capacity, dimensions, directions)
    if named != _named(identity) or capacity % scan.TILE or len(pages) != layout.size:
        return None
    header = pages[_HEADER_AT : layout.projection - 4] + pages[layout.projection : layout.matrix]
    return layout if zlib.crc32(header) == checksum else None


def _named(identity: Identity) -> list[object]:
    token = identity.token.encode()
    return [_MAGIC, _VERSION, scan.TILE, identity.account, identity.collection, token]


def _header(layout: Layout, identity: Identity, projection: scan.Projection) -> bytes:
    arrays = projection.mean.tobytes() + projection.basis.tobytes()
    arrays = arrays.ljust(layout.matrix - layout.projection, b"\0")
    fields = (*_named(identity), layout.capacity, layout.dimensions, layout.directions)
    checksum = zlib.crc32(_HEADER.pack(*fields, 0)[:-4] + arrays)
    return _HEADER.pack(*fields, checksum) + arrays


def _layout_of(base: Base) -> Layout:
    capacity, dimensions = base.rows.matrix.shape
    return Layout(capacity, dimensions, base.projection.basis.shape[1])


def _excluded(width: int) -> list[float]:
    """A row of the table that no query comes near."""
    return [0.0] * (width - 1) + [-math.inf]


def _put(file: BinaryIO, place: int, data: bytes) -> None:
    file.seek(place)
    file.write(data)


def _synced(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _array(pages: mmap.mmap, kind: str, start: int, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(pages, kind, math.prod(shape), start).reshape(shape)


def _streamed(file: BinaryIO, batches: Batches) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Write the vectors; their numbers and half squares."""
    numbers, halves = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for some, vectors in batches:
        file.write(vectors.astype("<f4", copy=False).tobytes())
        numbers.append(some)
        halves.append(scan.half_squares(vectors))
    return np.concatenate(numbers), np.concatenate(halves)


def _fitted(matrix: NDArray[np.float32]) -> scan.Projection:
    return scan.Projection.fitted(matrix[:: max(1, len(matrix) // scan.SAMPLE)][: scan.SAMPLE])


def _tables(projection: scan.Projection, matrix: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(matrix), scan.TILE):
        yield projection.table(matrix[start : start + scan.TILE])
