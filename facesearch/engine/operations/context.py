"""What every operation works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facesearch.engine import errors

if TYPE_CHECKING:
    from facesearch.engine.index import Indexes
    from facesearch.engine.recognizers import Recognizers
    from facesearch.engine.s3 import S3Objects
    from facesearch.engine.storage import Store, StoredCollection
    from facesearch.engine.tags import Tags
    from facesearch.engine.user_index import UserIndexes
    from facesearch.engine.users import Users
    from facesearch.engine.vision.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Context:
    """What an engine keeps (all in one store), its searchable vectors, its face models, its region, and its way to
    S3 if it has one.
    """

    store: Store
    users: Users
    tags: Tags
    indexes: Indexes
    user_indexes: UserIndexes
    recognizers: Recognizers
    region: str
    objects: S3Objects | None

    def arn(self, collection_id: str) -> str:
        """The ARN of a collection; the account in it is the store's own."""
        return f"arn:aws:rekognition:{self.region}:{self.store.account_id}:collection/{collection_id}"

    def collection_id(self, arn: str) -> str:
        """The collection that an ARN of this store names, there or not; else ResourceNotFoundException."""
        prefix = self.arn("")
        if not arn.startswith(prefix):
            raise errors.resource_not_found(arn)
        return arn.removeprefix(prefix)

    def image_bytes(self, image: Mapping[str, Any]) -> bytes:
        """The bytes of a request's Image member, wherever they are.

        Raises InvalidParameterException unless there is exactly one source, and what S3Objects.fetch raises.
        """
        if ("Bytes" in image) == ("S3Object" in image):
            raise errors.image_source()
        if "S3Object" not in image:
            data: bytes = image["Bytes"]
            return data
        if self.objects is None:
            raise errors.s3_unreachable()
        return self.objects.fetch(image["S3Object"])

    def recognizer(self) -> Recognizer:
        """The face model for what belongs to no collection, and for new ones."""
        return self.recognizers.current()

    def recognizer_for(self, collection: StoredCollection) -> Recognizer:
        """The face model that made the collection's vectors; else InvalidParameterException."""
        return self.recognizers.of(collection)
