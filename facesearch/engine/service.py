"""The engine: a store, face models that are loaded when first needed, and the operations over both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facesearch.engine import protocol
from facesearch.engine.index import Indexes
from facesearch.engine.models.chosen import ChosenModels
from facesearch.engine.operations import OPERATIONS
from facesearch.engine.operations.context import Context
from facesearch.engine.operations.searching import search_each_face
from facesearch.engine.protocol import Authorise, Response
from facesearch.engine.recognizers import Recognizers
from facesearch.engine.s3 import S3Client, S3Objects
from facesearch.engine.storage import Store
from facesearch.engine.tags import Tags
from facesearch.engine.user_index import UserIndexes
from facesearch.engine.users import Users

if TYPE_CHECKING:
    from facesearch.engine.vision.recognizer import Recognizer

_OF_A_SEARCH = ("PIL.JpegImagePlugin", "facesearch.engine.vector_file")  # else loaded by the first one


class Engine:
    """Answers Rekognition requests out of one store, for any number of threads.

    `store` is the file that keeps the collections; None keeps them in memory. `recognizer` is called once, at the
    first request that needs the default face model, and `models` with the version of any other (ModelError if it
    has none); without `models` there is no other. `s3` is called at the first request that names an S3Object;
    without it such a request is refused. Raises StoreError when the file cannot be used.
    """

    def __init__(
        self,
        store: Path | None,
        recognizer: Callable[[], Recognizer],
        region: str = "us-east-1",
        s3: Callable[[], S3Client] | None = None,
        models: Callable[[str], Recognizer] | None = None,
    ) -> None:
        self._store = Store(store)
        users = Users(self._store.connections)
        self._context = Context(
            store=self._store,
            users=users,
            tags=Tags(self._store.connections),
            indexes=Indexes(self._store),
            user_indexes=UserIndexes(users),
            recognizers=Recognizers(ChosenModels(self._store.connections), recognizer, models),
            region=region,
            objects=None if s3 is None else S3Objects(s3),
        )
        self._operations = {name: partial(operation, self._context) for name, operation in OPERATIONS.items()}

    def handle(self, headers: Mapping[str, str], body: bytes, authorise: Authorise | None = None) -> Response:
        """Answer one AWS JSON 1.1 request. `authorise` is asked before anything is done."""
        return protocol.handle(headers, body, self._operations, authorise)

    def search_each_face(
        self, collection_id: str, image: bytes, threshold: float, most: int | None
    ) -> list[dict[str, Any]]:
        """An answer of SearchFacesByImage for each of the `most` (None: all) largest faces, out of one look.

        Raises RekognitionError.
        """
        return search_each_face(self._context, collection_id, image, threshold, most)

    def arn(self, collection_id: str) -> str:
        """The ARN that a collection of this id has, or would have."""
        return self._context.arn(collection_id)

    def totals(self) -> tuple[int, int, int]:
        """How many collections, faces and users the store holds."""
        return self._store.totals()

    def load(self) -> None:
        """Load what the first search would wait for: the face model of new collections, and code.

        Raises WeightsError, and RekognitionError for a chosen model that is not there.
        """
        for module in _OF_A_SEARCH:
            import_module(module)
        protocol.service_model()
        self._context.recognizers.current()

    def close(self) -> None:
        """Give the store back; what is asked afterwards fails."""
        self._context.indexes.settle()
        self._store.close()
