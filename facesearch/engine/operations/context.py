"""What every operation works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facesearch.engine import errors

if TYPE_CHECKING:
    from facesearch.engine.index import Indexes
    from facesearch.engine.storage import Store, StoredCollection
    from facesearch.engine.vision.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Context:
    """An engine's store, its searchable vectors, its recognizer (made at the first call) and its region."""

    store: Store
    indexes: Indexes
    recognizer: Callable[[], Recognizer]
    region: str

    def arn(self, collection_id: str) -> str:
        """The ARN of a collection; the account in it is the store's own."""
        return f"arn:aws:rekognition:{self.region}:{self.store.account_id}:collection/{collection_id}"

    def recognizer_for(self, collection: StoredCollection) -> Recognizer:
        """The recognizer, if it made the collection's vectors too; else InvalidParameterException."""
        recognizer = self.recognizer()
        if recognizer.model_version != collection.model_version:
            raise errors.other_model(
                collection.collection_id, collection.model_version, recognizer.model_version
            )
        return recognizer
