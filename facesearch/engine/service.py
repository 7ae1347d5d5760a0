"""The engine: a store, a recognizer that is made when first needed, and the operations over both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch.engine import protocol
from facesearch.engine.index import Indexes
from facesearch.engine.operations import OPERATIONS
from facesearch.engine.operations.context import Context
from facesearch.engine.protocol import Authorise, Response
from facesearch.engine.s3 import S3Client, S3Objects
from facesearch.engine.storage import Store
from facesearch.engine.tags import Tags
from facesearch.engine.user_index import UserIndexes
from facesearch.engine.users import Users

if TYPE_CHECKING:
    from facesearch.engine.vision.recognizer import Recognizer


class Engine:
    """Answers Rekognition requests out of one store, for any number of threads.

    `store` is the file that keeps the collections; None keeps them in memory. `recognizer` is called once, at the
    first request that has to look at a face, and `s3` at the first that names an S3Object; without `s3` such a
    request is refused. Raises StoreError when the file cannot be used.
    """

    def __init__(
        self,
        store: Path | None,
        recognizer: Callable[[], Recognizer],
        region: str = "us-east-1",
        s3: Callable[[], S3Client] | None = None,
    ) -> None:
        self._store = Store(store)
        users = Users(self._store.connections)
        self._context = Context(
            store=self._store,
            users=users,
            tags=Tags(self._store.connections),
            indexes=Indexes(self._store),
            user_indexes=UserIndexes(users),
            recognizer=_Once(recognizer),
            region=region,
            objects=None if s3 is None else S3Objects(s3),
        )
        self._operations = {name: partial(operation, self._context) for name, operation in OPERATIONS.items()}

    def handle(self, headers: Mapping[str, str], body: bytes, authorise: Authorise | None = None) -> Response:
        """Answer one AWS JSON 1.1 request. `authorise` is asked before anything is done."""
        return protocol.handle(headers, body, self._operations, authorise)

    def arn(self, collection_id: str) -> str:
        """The ARN that a collection of this id has, or would have."""
        return self._context.arn(collection_id)

    def totals(self) -> tuple[int, int]:
        """How many collections and how many faces the store holds."""
        return self._store.totals()

    def close(self) -> None:
        """Give the store back; what is asked afterwards fails."""
        self._store.close()


class _Once:
    """Calls a factory at the first call and gives the same recognizer at each."""

    def __init__(self, factory: Callable[[], Recognizer]) -> None:
        self._factory = factory
        self._guard = threading.Lock()
        self._recognizer: Recognizer | None = None

    def __call__(self) -> Recognizer:
        with self._guard:
            if self._recognizer is None:
                self._recognizer = self._factory()
            return self._recognizer
