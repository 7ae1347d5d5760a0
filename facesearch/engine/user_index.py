"""Exact search among the users of a collection, by the mean vectors of their faces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facesearch.engine.index import Neighbour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.storage import StoredCollection
    from facesearch.engine.users import ChangedVectors, Users

# Users kept in memory over all collections; past this, the collection not searched for longest is let go.
_KEPT_USERS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The users of a collection that have a vector, by number: `numbers` (n) and `matrix` (n, d) float32."""

    revision: int
    numbers: NDArray[np.int64]
    matrix: NDArray[np.float32]


class UserIndexes:
    """The users' vectors of every collection that was searched for users, fresh at each search."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._guard = threading.Lock()
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def nearest(
        self, collection: StoredCollection, query: NDArray[np.float32], limit: int
    ) -> list[Neighbour]:
        """The `limit` users nearest to a face's vector or a user's, nearest first; of equals, the elder first.

        The distance is the root of the mean squared distance to a user's faces.
        """
        import numpy as np

        known = self._fresh(collection, len(query))
        distances = np.sqrt(np.maximum(2.0 - 2.0 * (known.matrix @ query).astype(np.float64), 0.0))
        order = np.lexsort((known.numbers, distances))[:limit]
        return [Neighbour(int(known.numbers[n]), float(distances[n])) for n in order]

    def forget(self, collection: int) -> None:
        """Drop what is kept of a collection that was deleted."""
        with self._guard:
            self._known.pop(collection, None)

    def _fresh(self, collection: StoredCollection, dimensions: int) -> _Known:
        import numpy as np

        with self._guard:
            known = self._known.get(collection.number)
            if known is None:
                known = _Known(0, np.zeros(0, dtype=np.int64), np.zeros((0, dimensions), dtype=np.float32))
            if known.revision < collection.user_revision:
                changed = self._users.changed_since(collection.number, known.revision)
                known = _changed(known, changed)
                if len(known.numbers) != changed.with_vector:
                    known = _only(known, self._users.numbers(collection.number))
            self._known[collection.number] = known
            self._known.move_to_end(collection.number)
            self._let_go()
        return known

    def _let_go(self) -> None:
        kept = sum(len(known.numbers) for known in self._known.values())
        while kept > _KEPT_USERS and len(self._known) > 1:
            kept -= len(self._known.popitem(last=False)[1].numbers)


def _changed(known: _Known, changed: ChangedVectors) -> _Known:
    """Without the users that changed, and with what they are now."""
    import numpy as np

    left = ~np.isin(known.numbers, np.array([number for number, _ in changed.rows], dtype=np.int64))
    now = [(number, np.frombuffer(vector, "<f4")) for number, vector in changed.rows if vector is not None]
    numbers = np.array([number for number, _ in now], dtype=np.int64)
    matrix = np.array([vector for _, vector in now], dtype=np.float32).reshape(-1, known.matrix.shape[1])
    return _Known(
        changed.revision,
        np.concatenate((known.numbers[left], numbers)),
        np.concatenate((known.matrix[left], matrix)),
    )


def _only(known: _Known, numbers: list[int]) -> _Known:
    """Without the users that are not among these any more."""
    import numpy as np

    left = np.isin(known.numbers, np.array(numbers, dtype=np.int64))
    return _Known(known.revision, known.numbers[left], known.matrix[left])
