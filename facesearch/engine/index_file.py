"""Keeping the file of a large collection's vectors up: made when first needed, appended to, and made anew.

Appending takes milliseconds, and nobody may write to the store meanwhile. A new file takes seconds per million
faces; the store is free all that time but for its end, when the file is held against the store and named. Faces
that are deleted meanwhile end the attempt, since no unfinished file may keep them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.snapshots import Snapshot
    from facesearch.engine.storage import Store
    from facesearch.engine.vector_file import Base
    from facesearch.engine.vectors import Part

_LOG = logging.getLogger(__name__)

# Collections of fewer faces are compared plainly: at 50,000 that takes a millisecond or two, and 26 MB.
SCAN_FROM = 50_000

# A file is made anew when more than 1 / _ERASED of its rows are erased: reading over those takes time for nothing.
# That comes to less for each of the erased than erasing it took.
_ERASED = 16

# Faces appended in one transaction, and how often a file is attempted before those who write must wait for it.
_AT_ONCE = 16_384
_ATTEMPTS = 3

# How long to leave a file alone that another process is writing.
_AWAY_SECONDS = 1.0


def tail_of(scan_from: int) -> int:
    """From how many faces that are not in a file it is worth appending them: comparing fewer takes 0.1 ms."""
    return max(1, scan_from // 32)


class IndexFile:
    """The file of one collection. `tail` faces that are not in it are worth being appended."""

    def __init__(self, store: Store, collection: int, scan_from: int) -> None:
        self._store = store
        self._files = store.vector_files
        self._collection = collection
        self._scan_from = scan_from
        self._working = threading.Lock()
        self._failed = False
        self._due = False
        self._not_before = 0.0
        self.tail = tail_of(scan_from)

    @property
    def asked(self) -> bool:
        """Whether `keep_up` has something to do."""
        return self._due and time.monotonic() >= self._not_before

    def must_be_made(self, count: int, known: int) -> bool:
        """Whether a collection of `count` faces cannot be searched before it has a file, or its like in memory.

        One whose vectors are in memory already can: it gets its file beside the searches.
        """
        return count >= self._scan_from and (not known or not self._possible)

    def serves(self, base: Base, used: int, erased: int, tail: int) -> bool:
        """Whether to search by this base: if it can be kept up, or as long as doing without costs little."""
        if not base.mapped:
            return not _outgrown(base, used, erased, tail)
        return self._possible or tail <= max(used // 4, self._scan_from)

    def look(self, base: Base | None, used: int, erased: int, tail: int, count: int) -> None:
        """See what a search met: a base with so many rows erased, and so many faces that are not in it."""
        if base is None:
            due = count >= self._scan_from
        else:
            due = base.mapped and (base.erasing or tail >= self.tail or _outgrown(base, used, erased, tail))
        self._due = due and self._possible

    def keep_up(self) -> None:
        """Bring the file up to the store, if it is worth it."""
        self._due = False
        if not self._possible:
            return
        with self._working:
            if self._files.being_written(self._collection):
                self._not_before = time.monotonic() + _AWAY_SECONDS
                return
            try:
                if not self._appended():
                    self._write()
            except OSError as exc:
                self._fail(exc)

    def made(self) -> bool:
        """Make the file now, for a search that has nothing else; False when there can be none."""
        if not self._possible:
            return False
        with self._working:
            try:
                self._write()
            except OSError as exc:
                self._fail(exc)
        return self._possible

    @property
    def _possible(self) -> bool:
        return self._files.possible and not self._failed

    def _fail(self, exc: OSError) -> None:
        self._failed = True
        _LOG.warning("the vectors of a collection are kept in memory, for want of a file: %s", exc)

    def _appended(self) -> bool:
        """Append what the file lacks, and have it checked; False when a new one is due."""
        while True:
            with self._store.settled(self._collection) as snapshot:
                token, used = snapshot.file()
                base = self._files.open(self._collection, token, used)
                if base is None or token is None:
                    return snapshot.face_count < self._scan_from
                held, last = base.holds(used)
                if base.erasing:
                    if snapshot.count_until(last) != held:
                        return False
                    self._files.checked(self._collection, token)
                tail = snapshot.face_count - held
                if _outgrown(base, used, used - held, tail):
                    return False
                if tail < self.tail:
                    return True
                if base.written != used:
                    return False
                for numbers, matrix in batches(snapshot, last, _AT_ONCE):
                    self._files.append(self._collection, base, numbers, matrix)
                    snapshot.name_file(token, used + len(numbers))
                    break

    def _write(self) -> None:
        """Write the file while others write to the store, and name it if it still holds true."""
        for _ in range(_ATTEMPTS):
            part = self._part()
            with self._store.settled(self._collection) as snapshot:
                if part is None or snapshot.count_until(part.last) == part.rows:
                    if self._named(snapshot, part):
                        return
                else:
                    self._files.discard(part)
        with self._store.settled(self._collection) as snapshot:
            part = self._part()
            if not self._named(snapshot, part):
                raise FileNotFoundError(part)

    def _part(self) -> Part | None:
        """All faces in a file that is not named yet; None when they are too few."""
        with self._store.snapshot(self._collection) as snapshot:
            count = snapshot.face_count
        some = self._up_to(count)
        first = next(some, None)
        if count < self._scan_from or first is None:
            return None
        return self._files.write(self._collection, chain([first], some), count, first[1].shape[1])

    def _up_to(self, count: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """The first `count` faces, each batch as it is at its own moment.

        A deletion must empty the store's log before it is answered, and cannot while anybody reads an older state.
        """
        last = 0
        while count > 0:
            with self._store.snapshot(self._collection) as snapshot:
                found = next(batches(snapshot, last, min(count, _AT_ONCE)), None)
            if found is None:
                return
            yield found
            count, last = count - len(found[0]), int(found[0][-1])

    def _named(self, snapshot: Snapshot, part: Part | None) -> bool:
        """Make a part the collection's file, or take the file away; False when the part was taken away."""
        if part is None:
            self._files.remove(self._collection)
            snapshot.name_file(None)
            return True
        if not self._files.put_in_place(part, snapshot.file_tokens()):
            return False
        snapshot.name_file(part.token, part.rows)
        return True


def _outgrown(base: Base, used: int, erased: int, tail: int) -> bool:
    """Whether a new file is due: for the erased ones of the `used` rows, or for want of room."""
    return erased > used // _ERASED or used + tail > len(base.rows)


def batches(
    snapshot: Snapshot, after: int, size: int = 4096
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """The faces stored after that number, as arrays of numbers and of vectors."""
    import numpy as np

    for rows in snapshot.vectors_after(after, size):
        numbers = np.fromiter((number for number, _ in rows), np.int64, len(rows))
        yield numbers, np.frombuffer(b"".join(vector for _, vector in rows), "<f4").reshape(len(rows), -1)
