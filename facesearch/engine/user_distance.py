"""How far a user is from a face or from another user: what a user's similarity is taken of.

A user is a group of faces, and a single face a group of one. Between two groups,

    distance = (nearest * apart) ** 1/4

`nearest` is the least squared distance between a face of the one and a face of the other. `apart` is their mean
squared distance, less half of each group's spread, which is the mean squared distance of its faces to their mean.
For two single faces both are their squared distance, so a user of one face is as near as that face.

The nearest face alone is what a search among faces goes by: strangers too come nearer to it with every face that
is added. The mean is steadier, but one photo that is unlike the others, in profile or with sunglasses, is lost
among them. Of the two together, the first makes sure that a photo which was enrolled finds its user whatever else
is added, and the second keeps strangers off. Half of the spread stands between the distance to the mean of the
faces, which lets in more strangers the more faces there are, and the mean distance to them, which shuts out more
of the user's own. The form was chosen on one half of the people of benchmarks/users.py and measured on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Unit vectors, `matrix` (faces, d), by group: each of `starts` begins one, and none is empty."""

    matrix: NDArray[np.float32]
    starts: NDArray[np.int64]
    spreads: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: NDArray[np.float32], starts: NDArray[np.int64]) -> Groups:
        """The groups that begin at these rows."""
        import numpy as np

        sizes = np.diff(starts, append=len(matrix))
        means = np.add.reduceat(matrix, starts, dtype=np.float64) / sizes[:, None] if len(starts) else matrix
        squares = np.einsum("nd,nd->n", means, means, dtype=np.float64)
        return cls(matrix, starts, np.where(sizes > 1, np.maximum(1.0 - squares, 0.0), 0.0))

    @classmethod
    def one(cls, vectors: Sequence[bytes]) -> Groups:
        """All these faces (little-endian float32) as one group."""
        import numpy as np

        matrix = np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)
        return cls.of(matrix, np.zeros(1, dtype=np.int64))

    def distances(self, other: Groups) -> NDArray[np.float64]:
        """How far each group is from `other`, a single one."""
        import numpy as np

        if not len(self.starts):
            return np.empty(0)
        products = self.matrix @ other.matrix.T
        sizes = np.diff(self.starts, append=len(self.matrix))
        most = np.maximum.reduceat(products.max(axis=1), self.starts).astype(np.float64)
        mean = np.add.reduceat(products.mean(axis=1, dtype=np.float64), self.starts) / sizes
        nearest = np.maximum(2.0 - 2.0 * most, 0.0)
        apart = np.maximum(2.0 - 2.0 * mean - (self.spreads + other.spreads) / 2.0, 0.0)
        distances: NDArray[np.float64] = np.sqrt(np.sqrt(nearest * apart))
        return distances
