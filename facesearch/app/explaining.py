"""Why a photo is, or is not, found to show somebody."""

from __future__ import annotations

from pathlib import Path

from facesearch.app.bound import Bound
from facesearch.domain.explaining import Explanation
from facesearch.workflows import calibrating, collections, explaining


class Explaining(Bound):
    """Explain what a search answers."""

    def explain(
        self, photo: Path | str, person: str, collection_id: str, *, threshold: float | str | None = None
    ) -> Explanation:
        """Why a search of the photo's largest face names a person (id, key or name) first, or does not.

        `threshold` is as in `search`. Raises UsageError for an unknown person, and PhotoError.
        """
        collection = collections.remembered(self._gateway, self._database, collection_id)
        return explaining.explain(
            self._gateway,
            self._database,
            Path(photo),
            person,
            collection,
            calibrating.resolve(self._database, collection, calibrating.parsed(threshold)),
            bars=explaining.EMBEDDED if self.engine == "embedded" else explaining.AMAZON,
        )
