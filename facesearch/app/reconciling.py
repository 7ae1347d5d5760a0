"""Whether a collection and the records agree, and making them agree."""

from __future__ import annotations

from collections.abc import Iterator

from facesearch.app.bound import Bound
from facesearch.domain.reconciliation import CollectionStatus
from facesearch.workflows import status


class Reconciling(Bound):
    """Hold the records against the collections."""

    def status(self, collection_id: str | None = None) -> Iterator[CollectionStatus]:
        """Every collection of the engine on both sides, in numbers, or one of them. Changes nothing."""
        if collection_id is None:
            yield from status.status(self._gateway, self._database)
        else:
            yield status.status_of(self._gateway, self._database, collection_id)
