"""What enrolling asks of Rekognition and of the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import (
    Collection,
    FaceDeletion,
    IndexResult,
    Intent,
    JournalEntry,
    Person,
    PersonSpec,
    PhotoStatus,
    Settlement,
)
from facesearch.domain.files import KnownFile


class Gateway(Protocol):
    """What enrolling asks of Rekognition."""

    def index_faces(
        self, collection_id: str, image: bytes, external_image_id: str, *, max_faces: int
    ) -> IndexResult: ...
    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion: ...


class Records(Protocol):
    """What enrolling asks of the records, inside one transaction."""

    def start_run(self, arn: str) -> str: ...
    def finish_run(self, run_id: str, counts: Mapping[PhotoStatus, int]) -> None: ...
    def knows_collection(self, collection: Collection) -> bool: ...
    def known_people(self, specs: Sequence[PersonSpec]) -> list[Person | None]: ...
    def resolve_people(self, specs: Sequence[PersonSpec]) -> list[Person]: ...
    def journal(
        self, arn: str, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], JournalEntry]: ...
    def intend(self, run_id: str, arn: str, intents: Sequence[Intent]) -> None: ...
    def known_files(self, ids: Sequence[str]) -> Mapping[str, KnownFile]: ...
    def remember_files(self, files: Sequence[KnownFile]) -> None: ...
    def settle(self, arn: str, settlements: Sequence[Settlement]) -> None: ...
    def add_calls(self, engine: str, calls: Mapping[str, int]) -> None: ...


class Database(Protocol):
    """Gives transactions: committed at the end of the block, rolled back by an exception; `read` only reads."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...
