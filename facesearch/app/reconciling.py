"""Whether a collection and the records agree, and making them agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain.reconciliation import (
        CollectionStatus,
        Finding,
        Reconciliation,
        Repaired,
        Unknown,
    )


class Reconciling(Bound):
    """Hold the records against the collections."""

    def status(self, collection_id: str | None = None) -> Iterator[CollectionStatus]:
        """Every collection of the engine on both sides, in numbers, or one of them. Changes nothing."""
        if collection_id is None:
            yield from workflows.status.status(self._gateway, self._database)
        else:
            yield workflows.status.status_of(self._gateway, self._database, collection_id)

    def reconcile(
        self,
        collection_id: str,
        *,
        unknown: Unknown | str = "leave",
        files: bool = False,
        on_finding: Callable[[Finding], None] | None = None,
        on_faces: Callable[[int], None] | None = None,
    ) -> Reconciliation:
        """Every disagreement of a collection, the records and (with `files`) the photos' files. Changes nothing.

        `unknown` says what a repair would do with faces and users that the records do not know: "leave", "adopt"
        or "delete". `on_finding` is told each disagreement; the answer has their numbers and examples.
        `on_faces` is told how many more faces were looked at.
        """
        from facesearch.domain.reconciliation import Unknown

        return workflows.reconciling.reconcile(
            self._gateway,
            self._database,
            collection_id,
            unknown=Unknown(unknown),
            files=files,
            on_finding=on_finding,
            on_faces=on_faces,
        )

    def repair(
        self,
        before: Reconciliation,
        *,
        unknown: Unknown | str = "leave",
        files: bool = False,
        deleting: bool = False,
    ) -> Repaired:
        """Put right what `reconcile` found, and look again, until nothing is left or nothing more can be done.

        Faces are deleted from the collection only if `deleting`. It may be killed at any moment and run again.
        """
        from facesearch.domain.reconciliation import Unknown

        return workflows.reconciling.repair(
            self._gateway,
            self._database,
            before,
            unknown=Unknown(unknown),
            files=files,
            deleting=deleting,
        )
