"""Exact nearest neighbours among the faces of a collection.

The vectors of a small collection are kept in memory once it is searched. Those of a large one lie in a file
beside the store, with a table that spares reading most of them (see `scan`); the few that were stored since are
kept in memory and compared plainly, until they are appended to the file. When the collection's revision has moved,
whichever process moved it, only what was added is read; what was deleted is taken out.

Files are kept up beside the searches (see `index_file`): a search goes on with what there is.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from facesearch.engine.index_file import SCAN_FROM, IndexFile, batches, tail_of
from facesearch.engine.upkeep import Upkeep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.scan import Rows
    from facesearch.engine.snapshots import Snapshot
    from facesearch.engine.storage import Store, StoredCollection
    from facesearch.engine.vector_file import Base

    Scalar = TypeVar("Scalar", bound=np.generic)

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
    """What is known of a collection at one revision: the first `used` rows of its file, and what was stored since.

    The arrays of `later` are views of the first rows of larger buffers; nobody writes to rows that a view shows.
    """

    revision: int | None
    base: Base | None
    used: int
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
        self._stored: dict[int, int] = {}
        self._upkeep = Upkeep()

    def nearest(
        self, collection: StoredCollection, query: NDArray[np.float32], limit: int, within: float = math.inf
    ) -> list[Neighbour]:
        """The `limit` faces nearest to a vector, no further than `within` (euclidean), nearest first.

        Of equals, the one stored first is first. A small `within` makes a large `limit` cheap. Raises ValueError
        for a vector that is not finite.
        """
        from facesearch.engine import scan

        if not scan.all_finite(query):
            raise ValueError("a vector to search for must be finite")
        index = self._of(collection.number)
        with self._guard:
            self._indexes.move_to_end(collection.number)
        vectors = index.fresh(collection.revision, len(query))
        self._let_go(collection.number)
        if index.file.asked:
            self._upkeep.ask(collection.number, index.keep_up)
        base, later = vectors.base, vectors.later
        if base is None:
            found = scan.compared(later, query, limit, within)
        else:
            rows, table = base.shown(vectors.used)
            found = scan.scanned(rows, table, query, limit, within)
            if len(later):
                found = found.merged(scan.compared(later, query, limit, within), limit)
        return [
            Neighbour(number, distance)
            for number, distance in zip(found.numbers.tolist(), found.distances.tolist(), strict=True)
        ]

    def stored(self, collection: int, faces: int) -> None:
        """Tell that faces were stored: who stores many keeps the file up, and leaves it to no search."""
        with self._guard:
            count = self._stored.get(collection, 0) + faces
            due = count >= tail_of(self._scan_from)
            self._stored[collection] = 0 if due else count
        if due:
            self._upkeep.ask(collection, self._of(collection).keep_up)

    def forget(self, collection: int) -> None:
        """Drop what is kept of a collection that was deleted."""
        with self._guard:
            self._indexes.pop(collection, None)
            self._stored.pop(collection, None)

    def settle(self) -> None:
        """Return when no file is worked on by this process."""
        self._upkeep.wait()

    def _of(self, collection: int) -> _Index:
        with self._guard:
            index = self._indexes.get(collection)
            if index is None:
                index = self._indexes[collection] = _Index(self._store, collection, self._scan_from)
            return index

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
        self.file = IndexFile(store, collection, scan_from)

    @property
    def size(self) -> int:
        """Vectors in this process' own memory; a mapped file's pages are the system's to take back."""
        if self._vectors is None:
            return 0
        base = self._vectors.base
        return len(self._vectors.later) + (0 if base is None or base.mapped else base.written)

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
                    vectors = self._caught_up(snapshot, dimensions)
            self._vectors = vectors or self._made_anew(dimensions)
            return self._vectors

    def keep_up(self) -> None:
        """Bring the file up to the store, beside the searches, and let go of what it then holds."""
        self.file.keep_up()
        vectors = self._vectors
        if vectors is None:
            return
        with self._guard, self._store.snapshot(self._collection) as snapshot:
            self._vectors = self._caught_up(snapshot, vectors.later.matrix.shape[1]) or self._vectors

    def _caught_up(self, snapshot: Snapshot, dimensions: int) -> _Vectors | None:
        """What is known, brought up to the snapshot; None when the file does not serve it."""
        token, used = snapshot.file()
        base, later = self._known(token, used, dimensions)
        if base is None and self.file.must_be_made(snapshot.face_count, len(later)):
            return None
        if base is None or not base.mapped:
            used = 0 if base is None else base.written
        held, last = (0, 0) if base is None else base.holds(used)
        later = _after(later, last)
        for numbers, vectors in batches(snapshot, int(later.numbers[-1]) if len(later) else last):
            later = _with_rows(later, numbers, vectors)
        if held + len(later) != snapshot.face_count:
            later = _only(later, snapshot.numbers(last))
        if held + len(later) != snapshot.face_count and base is not None:
            if base.mapped:
                return None
            base.keep(snapshot.numbers())
            held, _ = base.holds(used)
        if base is not None and not self.file.serves(base, used, used - held, len(later)):
            return None
        if base is not None and not base.mapped and len(later) >= self.file.tail:
            base.append(later.numbers, later.matrix)
            held, used, later = held + len(later), base.written, _no_rows(dimensions)
        self.file.look(base, used, used - held, len(later), snapshot.face_count)
        return _Vectors(snapshot.revision, base, used, later)

    def _known(self, token: str | None, rows: int, dimensions: int) -> tuple[Base | None, Rows]:
        known = self._vectors
        if known is not None and (None if known.base is None else known.base.token) == token:
            return known.base, known.later
        return self._files.open(self._collection, token, rows), _no_rows(dimensions)

    def _made_anew(self, dimensions: int) -> _Vectors:
        """All vectors, in a new file; in memory where there can be none."""
        if self.file.made():
            with self._store.settled(self._collection) as snapshot:
                vectors = self._caught_up(snapshot, dimensions)
            if vectors is not None:
                return vectors
        from facesearch.engine.vector_file import in_memory

        with self._store.snapshot(self._collection) as snapshot:
            count, (token, _), all_of_them = snapshot.face_count, snapshot.file(), batches(snapshot, 0)
            if count >= self._scan_from:
                base = in_memory(all_of_them, count, dimensions, token)
                return _Vectors(snapshot.revision, base, base.written, _no_rows(dimensions))
            later = _no_rows(dimensions)
            for numbers, matrix in all_of_them:
                later = _with_rows(later, numbers, matrix)
            return _Vectors(snapshot.revision, None, 0, later)


def _erasing(base: Base | None) -> bool:
    return base is not None and base.erasing


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


def _after(rows: Rows, number: int) -> Rows:
    """The rows of greater numbers."""
    import numpy as np

    from facesearch.engine import scan

    start = int(np.searchsorted(rows.numbers, number, side="right"))
    if start == 0:
        return rows
    return scan.Rows(rows.numbers[start:].copy(), rows.matrix[start:].copy(), rows.halves[start:].copy())


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
