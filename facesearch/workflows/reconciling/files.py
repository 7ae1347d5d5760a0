"""Whether the photos' files are where they were last seen, with the same content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facesearch import photos
from facesearch.domain.reconciliation import Drift, Finding, Repair
from facesearch.errors import PhotoError
from facesearch.workflows.reconciling.ports import Database
from facesearch.workflows.unchanged import FileIds, state_of

WHOLE = 64  # digits of a sha256; a photo with fewer was never seen here


def looked_at(database: Database, page: Sequence[tuple[int, str, str, str]]) -> tuple[list[Finding], int]:
    """What is wrong with photos (number, sha256, path, somebody's name), and how many of them are no files.

    A file whose size, time and inode are those it had when it was last read is not read again.
    """
    ids = FileIds()
    file_ids = {path: ids(path) for _, sha256, path, _ in page if _is_file(sha256, path)}
    with database.read() as records:
        known = records.known_files(list(file_ids.values()))
    findings: list[Finding] = []
    for number, sha256, path, name in page:
        if len(sha256) != WHOLE:
            findings.append(Finding(Drift.UNSEEN_PHOTO, Repair.LEAVE, person=name, number=number))
        elif path in file_ids:
            file = known.get(file_ids[path])
            if file and file.sha256 == sha256 and file.state == state_of(path):
                continue
            if wrong := _wrong(path, sha256):
                drift, reason = wrong
                findings.append(
                    Finding(drift, Repair.LEAVE, person=name, photo=path, reason=reason, number=number)
                )
    elsewhere = sum(len(sha256) == WHOLE and path not in file_ids for _, sha256, path, _ in page)
    return findings, elsewhere


def _is_file(sha256: str, path: str) -> bool:
    return len(sha256) == WHOLE and not path.startswith("s3://")


def _wrong(path: str, sha256: str) -> tuple[Drift, str] | None:
    try:
        held = photos.sha256_of(Path(path))
    except PhotoError as exc:
        return Drift.MISSING_FILE, exc.reason
    return None if held == sha256 else (Drift.CHANGED_FILE, "it holds something else by now")
