"""Exact nearest neighbours among the faces of a collection.

The vectors of a collection that is searched are kept in memory, as one float32 matrix in the order of storing.
When the collection's revision has moved, whichever process moved it, only what was added is read; what was deleted
is taken out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.storage import Snapshot, Store, StoredCollection

    Scalar = TypeVar("Scalar", bound=np.generic)

# Candidates are chosen by float32 products, each off by less than half of this; float64 orders them.
_ROUNDING = 2e-5

# A matrix that must grow grows by a quarter, so that adding face after face copies each vector few times.
_GROWTH = 1.25

_RANKED_AT_ONCE = 8192

# Vectors kept in memory over all collections; past this, the collection not searched for longest is let go.
_KEPT_VECTORS = 2_000_000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored face, by its number, and the euclidean distance of its vector."""

    number: int
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class _Vectors:
    """What is known of a collection at one revision. Row n of `matrix` is the vector of the face `numbers[n]`.

    Both are views of the first rows of larger buffers; nobody writes to rows that a view shows.
    """

    revision: int | None
    numbers: NDArray[np.int64]
    matrix: NDArray[np.float32]


class Indexes:
    """The vectors of every collection that was searched, fresh at each search."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._indexes: OrderedDict[int, _Index] = OrderedDict()

    def nearest(
        self, collection: StoredCollection, query: NDArray[np.float32], limit: int
    ) -> list[Neighbour]:
        """The `limit` faces nearest to a unit vector, nearest first; of equals, the one stored first is first."""
        with self._guard:
            index = self._indexes.setdefault(collection.number, _Index())
            self._indexes.move_to_end(collection.number)
        vectors = index.fresh(self._store, collection, len(query))
        self._let_go(collection.number)
        return _nearest(vectors, query, limit)

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

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._vectors: _Vectors | None = None

    @property
    def size(self) -> int:
        return 0 if self._vectors is None else len(self._vectors.numbers)

    def fresh(self, store: Store, collection: StoredCollection, dimensions: int) -> _Vectors:
        """The vectors at this revision of the collection or a later one."""
        vectors = self._vectors
        if vectors is not None and vectors.revision == collection.revision:
            return vectors
        with self._guard, store.snapshot(collection.number) as snapshot:
            vectors = self._vectors or _nothing(dimensions)
            if vectors.revision != snapshot.revision:
                vectors = _caught_up(vectors, snapshot)
                self._vectors = vectors
        return vectors


def _nothing(dimensions: int) -> _Vectors:
    import numpy as np

    return _Vectors(None, np.empty(0, np.int64), np.empty((0, dimensions), np.float32))


def _caught_up(known: _Vectors, snapshot: Snapshot) -> _Vectors:
    import numpy as np

    numbers, matrix = known.numbers, known.matrix
    for rows in snapshot.vectors_after(int(numbers[-1]) if len(numbers) else 0):
        numbers = _appended(numbers, np.fromiter((number for number, _ in rows), np.int64, len(rows)))
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f4").reshape(len(rows), -1)
        matrix = _appended(matrix, vectors)
    if len(numbers) != snapshot.face_count:
        still_there = np.isin(numbers, np.array(snapshot.numbers(), np.int64), assume_unique=True)
        numbers, matrix = numbers[still_there], matrix[still_there]
    return _Vectors(snapshot.revision, numbers, matrix)


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


def _nearest(vectors: _Vectors, query: NDArray[np.float32], limit: int) -> list[Neighbour]:
    import numpy as np

    products = vectors.matrix @ query
    if limit < len(products):
        least = np.partition(products, len(products) - limit)[len(products) - limit]
        candidates = np.flatnonzero(products >= least - _ROUNDING)
    else:
        candidates = np.arange(len(products))
    distances = np.empty(len(candidates))
    for start in range(0, len(candidates), _RANKED_AT_ONCE):
        part = candidates[start : start + _RANKED_AT_ONCE]
        difference = vectors.matrix[part].astype(np.float64) - query
        distances[start : start + len(part)] = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    order = np.lexsort((candidates, distances))[:limit]
    return [Neighbour(int(vectors.numbers[candidates[n]]), float(distances[n])) for n in order]
