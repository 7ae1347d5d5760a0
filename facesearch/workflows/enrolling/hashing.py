"""From planned files to photos known by their content, read ahead by threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from facesearch import photos
from facesearch.domain import PhotoStatus, PlannedPhoto
from facesearch.errors import PhotoError
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work

BATCH = 64  # photos written down in one transaction; bounds what is in memory

Ahead = list[tuple[PlannedPhoto, Future[str] | None]]


def hashed(planned: Iterable[PlannedPhoto], pool: ThreadPoolExecutor, tally: Tally) -> Iterator[list[Work]]:
    """Batches of photos with their sha256; the next batch is read while this one is worked on."""
    source = iter(planned)
    ahead = _start(source, pool)
    while ahead:
        batch, ahead = ahead, _start(source, pool)
        yield [work for photo, digest in batch if (work := _finish(photo, digest, tally))]


def _start(source: Iterator[PlannedPhoto], pool: ThreadPoolExecutor) -> Ahead:
    return [
        (photo, None if photo.problem else pool.submit(photos.sha256_of, photo.path))
        for photo in islice(source, BATCH)
    ]


def _finish(photo: PlannedPhoto, digest: Future[str] | None, tally: Tally) -> Work | None:
    if photo.person is None or digest is None:
        name = photo.person.name if photo.person else None
        tally.end(photo.path, name, PhotoStatus.FAILED, photo.problem)
        return None
    try:
        return Work(photo.path, photo.person, digest.result())
    except PhotoError as exc:
        tally.end(photo.path, photo.person.name, PhotoStatus.UNREADABLE, exc.reason)
        return None
