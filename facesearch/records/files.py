"""What unchanged files hold, so that they need not be read again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from facesearch.domain.files import FileState, KnownFile
from facesearch.records.tables import FILES
from facesearch.records.unit import Unit, chunks


class FileRecords(Unit):
    """Files by the machine and path that their ids stand for."""

    def known_files(self, ids: Sequence[str]) -> dict[str, KnownFile]:
        """What is known of those files, by id."""
        columns = (FILES.c.id, FILES.c.size, FILES.c.modified_ns, FILES.c.inode, FILES.c.sha256)
        return {
            id_: KnownFile(id_, FileState(size, modified_ns, inode), sha256)
            for some in chunks(ids)
            for id_, size, modified_ns, inode, sha256 in self._connection.execute(
                select(*columns).where(FILES.c.id.in_(some))
            ).all()
        }

    def remember_files(self, files: Sequence[KnownFile]) -> None:
        """Write down what files hold, in place of what was known of them."""
        rows = [{"id": one.id, "sha256": one.sha256, **one.state._asdict()} for one in files]
        self._upsert(FILES, rows, unique=["id"], changed=["size", "modified_ns", "inode", "sha256"])
