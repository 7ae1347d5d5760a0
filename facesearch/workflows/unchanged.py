"""Which files are the same as when they were last read: by size, modification time and inode, as git tells it.

Paths are strings here: for each of a million files a Path would take longer than asking the file system does.
"""

from __future__ import annotations

import os
import socket
from hashlib import sha256
from pathlib import Path

from facesearch.domain.files import FileState

# A file may be written twice within one tick of the file system's clock, and then has the time of the first write
# still: what a file of such an age holds is not remembered.
RACY_NS = 2_000_000_000


class FileIds:
    """Ids of this machine's files.

    The first half of an id stands for the machine and the folder, so that files of one folder lie together in an
    index; a photo is found among its neighbours then, which makes a second run four times as fast.
    """

    def __init__(self) -> None:
        self._here = str(Path.cwd())
        self._machine = socket.gethostname()
        self._folder: str | None = None
        self._prefix = ""

    def __call__(self, path: str) -> str:
        """64 hex digits, the same for a path however the folder it is relative to was entered."""
        folder, _, name = path.rpartition(os.sep)
        if folder != self._folder:
            self._folder = folder
            whole = os.path.join(self._here, folder or (os.sep if path.startswith(os.sep) else ""), "")  # noqa: PTH118
            self._prefix = _half(f"{self._machine}\0{whole}")
        return self._prefix + _half(name)


def _half(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def state_of(path: str) -> FileState | None:
    """What the file system says of a file; None for one it cannot say anything of."""
    try:
        seen = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return FileState(seen.st_size, seen.st_mtime_ns, f"{seen.st_dev}:{seen.st_ino}")


def are_two(path: str, other: str) -> bool:
    """Whether both files are there, of one size, and two: the same file may have several paths."""
    one, another = state_of(path), state_of(other)
    return bool(one and another and one.size == another.size and one.inode != another.inode)


def is_settled(state: FileState, now_ns: int) -> bool:
    """Whether a write that comes after `now_ns` must give the file another time than it has in `state`."""
    return state.modified_ns + RACY_NS <= now_ns
