"""Exact nearest neighbours among the faces of a collection.

The vectors of a small collection are kept in memory once it is searched. Those of a large one lie in a file
beside the store, with a table that spares reading most of them (see `scan`); what was stored since that file was
made is kept in memory and compared plainly. When the collection's revision has moved, whichever process moved it,
only what was added is read; what was deleted is taken out.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from facesearch.engine.vectors import in_memory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.scan import Rows
    from facesearch.engine.storage import Snapshot, Store, StoredCollection
    from facesearch.engine.vectors import Base, Batches, Part

    Scalar = TypeVar("Scalar", bound=np.generic)

_LOG = logging.getLogger(__name__)

# Collections of fewer faces are compared plainly: at 50,000 that takes a millisecond or two, and 26 MB.
SCAN_FROM = 50_000

# A file is made again when more than 1 / _LATER of it was stored since: comparing those plainly takes longer.
_LATER = 32

# A matrix that must grow grows by a quarter, so that adding face after face copies each vector few times.
_GROWTH = 1.25

# Vectors kept in memory over all collections; past this, the collection not searched for longest is let go.
_KEPT_VECTORS = 2_000_000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored face, by its number, and the euclidean distance of its vector."""

    number: int
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class _Vectors:
    """What is known of a collection at one revision: its file if it has one, and what was stored since.

    The arrays of `later` are views of the first rows of larger buffers; nobody writes to rows that a view shows.
    """

    revision: int | None
    base: Base | None
    later: Rows


class Indexes:
    """The vectors of every collection that was searched, fresh at each search.

    A collection gets a file when it holds `scan_from` faces.
    """

    def __init__(self, store: Store, scan_from: int = SCAN_FROM) -> None:
        self._store = store
        self._scan_from = scan_from
        self._guard = threading.Lock()
        self._indexes: OrderedDict[int, _Index] = OrderedDict()

    def nearest(
        self, collection: StoredCollection, query: NDArray[np.float32], limit: int, within: float = math.inf
    ) -> list[Neighbour]:
        """The `limit` faces nearest to a vector, no further than `within` (euclidean), nearest first.

        Of equals, the one stored first is first. A small `within` makes a large `limit` cheap.
        """
        from facesearch.engine import scan

        with self._guard:
            index = self._indexes.setdefault(
                collection.number, _Index(self._store, collection.number, self._scan_from)
            )
            self._indexes.move_to_end(collection.number)
        vectors = index.fresh(collection.revision, len(query))
        self._let_go(collection.number)
        base, later = vectors.base, vectors.later
        if base is None:
            found = scan.compared(later, query, limit, within)
        else:
            found = scan.scanned(base.rows, base.table, query, limit, within)
            if len(later):
                found = found.merged(scan.compared(later, query, limit, within), limit)
        return [
            Neighbour(number, distance)
            for number, distance in zip(found.numbers.tolist(), found.distances.tolist(), strict=True)
        ]

    def forget(self, collection: int) -> None:
        """Drop what is kept of a collection that was deleted."""
        with self._guard:
            self._indexes.pop(collection, None)

    def _let_go(self, but: int) -> None:
        with self._guard:
            kept = sum(index.size for index in self._indexes.values())
            while kept > _KEPT_VECTORS and next(iter(self._indexes)) != but:
                kept -= self._indexes.popitem(last=False)[1].size


class _Index:
    """The vectors of one collection."""

    def __init__(self, store: Store, collection: int, scan_from: int) -> None:
        self._store = store
        self._files = store.vector_files
        self._collection = collection
        self._scan_from = scan_from
        self._guard = threading.Lock()
        self._vectors: _Vectors | None = None

    @property
    def size(self) -> int:
        """Vectors in this process' own memory; a mapped file's pages are the system's to take back."""
        if self._vectors is None:
            return 0
        base = self._vectors.base
        return len(self._vectors.later) + (0 if base is None or base.mapped else len(base.rows))

    def fresh(self, revision: int, dimensions: int) -> _Vectors:
        """The vectors at this revision of the collection or a later one."""
        vectors = self._vectors
        if vectors is not None and vectors.revision == revision and not _erasing(vectors.base):
            return vectors
        with self._guard:
            with self._store.snapshot(self._collection) as snapshot:
                vectors = self._caught_up(snapshot, dimensions)
            if vectors is None:
                # A deletion may be under way: its faces are gone from the file before they are from the store.
                with self._store.settled(self._collection) as snapshot:
                    vectors = self._caught_up(snapshot, dimensions, settled=True)
            self._vectors = vectors or self._made_anew(dimensions)
            return self._vectors

    def _caught_up(self, snapshot: Snapshot, dimensions: int, settled: bool = False) -> _Vectors | None:
        """What is known, brought up to the snapshot; None when the file does not serve it."""
        token = snapshot.file_token()
        base, later = self._known(token, dimensions)
        if _erasing(base) and not settled:
            return None
        held = 0 if base is None else base.live()
        if self._outgrown(base, held, snapshot.face_count):
            return None
        after = 0 if base is None else base.last
        for numbers, vectors in _batches(snapshot, int(later.numbers[-1]) if len(later) else after):
            later = _with_rows(later, numbers, vectors)
        if held + len(later) != snapshot.face_count:
            later = _only(later, snapshot.numbers(after))
        if held + len(later) != snapshot.face_count and base is not None:
            if base.mapped:
                return None
            base.keep(snapshot.numbers())
        if _erasing(base) and token is not None:
            self._files.checked(self._collection, token)
        return _Vectors(snapshot.revision, base, later)

    def _known(self, token: str | None, dimensions: int) -> tuple[Base | None, Rows]:
        known = self._vectors
        if known is not None and (None if known.base is None else known.base.token) == token:
            return known.base, known.later
        return self._files.open(self._collection, token), _no_rows(dimensions)

    def _outgrown(self, base: Base | None, held: int, count: int) -> bool:
        """Whether a new file is due: too much is not in it, or too much of it is erased."""
        if base is None:
            return count >= self._scan_from
        return count - held > max(held // _LATER, self._scan_from // 2) or held < len(base.rows) // 2

    def _made_anew(self, dimensions: int) -> _Vectors:
        """All vectors, in a new file; in memory where there can be none."""
        if self._files.possible:
            try:
                self._write_file(dimensions)
            except OSError as exc:
                _LOG.warning("the vectors of a collection are kept in memory, for want of a file: %s", exc)
            else:
                with self._store.settled(self._collection) as snapshot:
                    vectors = self._caught_up(snapshot, dimensions, settled=True)
                if vectors is not None:
                    return vectors
        with self._store.snapshot(self._collection) as snapshot:
            count, token, batches = snapshot.face_count, snapshot.file_token(), _batches(snapshot, 0)
            if count >= self._scan_from:
                base = in_memory(batches, count, dimensions, token)
                return _Vectors(snapshot.revision, base, _no_rows(dimensions))
            later = _no_rows(dimensions)
            for numbers, matrix in batches:
                later = _with_rows(later, numbers, matrix)
            return _Vectors(snapshot.revision, None, later)

    def _write_file(self, dimensions: int) -> None:
        """Write the collection's file while others write to the store, and name it if it still holds true."""
        with self._store.snapshot(self._collection) as snapshot:
            part = self._part(snapshot, dimensions)
        with self._store.settled(self._collection) as snapshot:
            others = snapshot.file_tokens()
            if part is not None and snapshot.count_until(part.last) != part.rows:
                self._files.discard(part)
            if part is None or not self._files.put_in_place(part, others):
                # Faces were deleted meanwhile. Once more, and now the writers wait.
                part = self._part(snapshot, dimensions)
                if part is not None and not self._files.put_in_place(part, others):
                    raise FileNotFoundError(part.path)
            snapshot.name_file(None if part is None else part.token)
            if part is None:
                self._files.remove(self._collection)

    def _part(self, snapshot: Snapshot, dimensions: int) -> Part | None:
        if snapshot.face_count < self._scan_from:
            return None
        return self._files.write(self._collection, _batches(snapshot, 0), dimensions)


def _erasing(base: Base | None) -> bool:
    return base is not None and base.erasing


def _batches(snapshot: Snapshot, after: int) -> Batches:
    import numpy as np

    for rows in snapshot.vectors_after(after):
        numbers = np.fromiter((number for number, _ in rows), np.int64, len(rows))
        yield numbers, np.frombuffer(b"".join(vector for _, vector in rows), "<f4").reshape(len(rows), -1)


def _no_rows(dimensions: int) -> Rows:
    import numpy as np

    from facesearch.engine import scan

    return scan.Rows(np.empty(0, np.int64), np.empty((0, dimensions), np.float32), np.empty(0, np.float32))


def _with_rows(rows: Rows, numbers: NDArray[np.int64], matrix: NDArray[np.float32]) -> Rows:
    from facesearch.engine import scan

    return scan.Rows(
        _appended(rows.numbers, numbers),
        _appended(rows.matrix, matrix),
        _appended(rows.halves, scan.half_squares(matrix)),
    )


def _only(rows: Rows, numbers: list[int]) -> Rows:
    """The rows of these numbers."""
    import numpy as np

    from facesearch.engine import scan

    kept = np.isin(rows.numbers, np.array(numbers, np.int64))
    return scan.Rows(rows.numbers[kept], rows.matrix[kept], rows.halves[kept])


def _appended(view: NDArray[Scalar], rows: NDArray[Scalar]) -> NDArray[Scalar]:
    """A view that shows `rows` after what `view` shows, over the same buffer while there is room."""
    import numpy as np

    before, after = len(view), len(view) + len(rows)
    buffer = view if view.base is None else view.base
    if len(buffer) < after:
        buffer = np.empty((max(after, int(before * _GROWTH)), *view.shape[1:]), view.dtype)
        buffer[:before] = view
    buffer[before:after] = rows
    return buffer[:after]
