"""Exact search among the users of a collection, by the vectors of their faces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facesearch.engine.index import Neighbour
from facesearch.engine.user_distance import Groups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.storage import StoredCollection
    from facesearch.engine.users import ChangedUsers, Users

# Faces kept in memory over all collections; past this, the collection not searched for longest is let go.
_KEPT_FACES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The users of a collection: all their numbers, and the faces of those that have any, grouped by user."""

    revision: int
    users: NDArray[np.int64]
    owners: NDArray[np.int64]  # whose each face is
    groups: Groups
    numbers: NDArray[np.int64]  # whose each group is


class UserIndexes:
    """The users of every collection that was searched for users, fresh at each search."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._guard = threading.Lock()
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def nearest(self, collection: StoredCollection, query: Groups, limit: int) -> list[Neighbour]:
        """The `limit` users nearest to a face or to a user's faces, nearest first; of equals, the elder first."""
        import numpy as np

        known = self._fresh(collection, query.matrix.shape[1])
        distances = known.groups.distances(query)
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
                nobody = np.zeros(0, dtype=np.int64)
                known = _known(0, nobody, nobody, np.zeros((0, dimensions), dtype=np.float32))
            if known.revision < collection.user_revision:
                changed = self._users.changed_since(collection.number, known.revision)
                known = _changed(known, changed)
                if len(known.users) != changed.count:
                    known = _only(known, self._users.numbers(collection.number))
            self._known[collection.number] = known
            self._known.move_to_end(collection.number)
            self._let_go()
        return known

    def _let_go(self) -> None:
        kept = sum(len(known.owners) for known in self._known.values())
        while kept > _KEPT_FACES and len(self._known) > 1:
            kept -= len(self._known.popitem(last=False)[1].owners)


def _known(
    revision: int, users: NDArray[np.int64], owners: NDArray[np.int64], matrix: NDArray[np.float32]
) -> _Known:
    """With the groups; the faces of one user stand together."""
    import numpy as np

    starts = np.flatnonzero(np.diff(owners, prepend=0)) if len(owners) else owners
    return _Known(revision, users, owners, Groups.of(matrix, starts), owners[starts])


def _changed(known: _Known, changed: ChangedUsers) -> _Known:
    """Without the users that changed, and with what they are now."""
    import numpy as np

    users = np.array(changed.users, dtype=np.int64)
    owners = np.array([owner for owner, _ in changed.faces], dtype=np.int64)
    vectors = np.frombuffer(b"".join(vector for _, vector in changed.faces), "<f4")
    left = ~np.isin(known.owners, users)
    return _known(
        changed.revision,
        np.union1d(known.users, users),
        np.concatenate((known.owners[left], owners)),
        np.concatenate((known.groups.matrix[left], vectors.reshape(len(owners), -1)))
        if len(owners)
        else known.groups.matrix[left],
    )


def _only(known: _Known, numbers: list[int]) -> _Known:
    """Without the users that are not among these any more."""
    import numpy as np

    users = np.array(numbers, dtype=np.int64)
    left = np.isin(known.owners, users)
    return _known(
        known.revision, np.intersect1d(known.users, users), known.owners[left], known.groups.matrix[left]
    )
