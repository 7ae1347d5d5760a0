"""Why a photo is, or is not, found to show somebody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain.explaining import Explanation


class Explaining(Bound):
    """Explain what a search answers."""

    def explain(
        self, photo: Path | str, person: str, collection_id: str, *, threshold: float | str | None = None
    ) -> Explanation:
        """Why a search of the photo's largest face names a person (id, key or name) first, or does not.

        `threshold` is as in `search`. Raises UsageError for an unknown person, and PhotoError.
        """
        self.expect_photos()
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return workflows.explaining.explain(
            self._gateway,
            self._database,
            Path(photo),
            person,
            collection,
            workflows.calibrating.resolve(
                self._database, collection, workflows.calibrating.parsed(threshold)
            ),
            bars=workflows.explaining.EMBEDDED if self.engine == "embedded" else workflows.explaining.AMAZON,
        )
