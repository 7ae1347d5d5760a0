"""What enrolling asks of Rekognition and of the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import (
    Change,
    ChangeState,
    Collection,
    Face,
    FaceDeletion,
    IndexResult,
    Intent,
    JournalEntry,
    Person,
    PersonSpec,
    PhotoOutcome,
    PhotoStatus,
    RunOutcome,
    Settlement,
    UnfinishedPhoto,
)
from facesearch.domain.files import KnownFile


class Retries(Protocol):
    """Tells of throttled tries."""

    def telling(self, on_throttle: Callable[[], None]) -> AbstractContextManager[None]: ...


class Gateway(Protocol):
    """What enrolling asks of Rekognition."""

    @property
    def retries(self) -> Retries: ...
    def index_faces(
        self, collection_id: str, image: bytes, external_image_id: str, *, max_faces: int
    ) -> IndexResult: ...
    def pages_of_faces(self, collection_id: str) -> Iterator[list[Face]]: ...
    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion: ...


class Records(Protocol):
    """What enrolling asks of the records, inside one transaction."""

    def start_run(self, arn: str, source: str | None = None) -> str: ...
    def finish_run(
        self,
        run_id: str,
        counts: Mapping[PhotoStatus, int],
        outcome: RunOutcome = RunOutcome.FINISHED,
        reason: str | None = None,
    ) -> None: ...
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
    def open_intents(self, arn: str, after: int = 0) -> list[UnfinishedPhoto]: ...
    def unfinished(self, arn: str, after: int = 0) -> list[UnfinishedPhoto]: ...
    def unread(self, arn: str, after: int = 0) -> list[UnfinishedPhoto]: ...
    def set_aside(self, run_id: str, arn: str, files: Sequence[tuple[PhotoOutcome, str | None]]) -> None: ...
    def take_up(self, arn: str, paths: Sequence[str]) -> None: ...
    def drop_faces(self, arn: str, face_ids: Sequence[str]) -> None: ...
    def intend_changes(self, arn: str, changes: Sequence[Change]) -> list[int]: ...
    def settle_changes(
        self,
        ids: Sequence[int],
        state: ChangeState = ChangeState.DONE,
        *,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> None: ...
    def open_changes(self, arn: str, *, after: int = 0) -> list[Change]: ...
    def add_calls(self, engine: str, calls: Mapping[str, int]) -> None: ...


class Database(Protocol):
    """Gives transactions: committed at the end of the block, rolled back by an exception; `read` only reads."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...
