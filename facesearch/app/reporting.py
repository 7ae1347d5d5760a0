"""A search as a page to show."""

from __future__ import annotations

import getpass
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.reporting.report import Report


class Reporting(Bound):
    """Write what a search finds into a page."""

    def report(
        self,
        path: Path | str,
        collection_id: str,
        *,
        threshold: float | str | None = None,
        redact: bool = False,
    ) -> Report:
        """An HTML page about a search, for the length of a `with` block; `add` takes the search's answers.

            with fs.report("found.html", "staff") as page:
                for photo in fs.search(["visitor.jpg"], "staff"):
                    page.add(photo)

        The page is there when the block is left without error, in place of an earlier one. `threshold` is that of
        the search. With `redact` the page shows and names nobody but those who were found. Raises UsageError for a
        path where no page can be written.
        """
        from facesearch.reporting.page import Heading
        from facesearch.reporting.report import Report, check

        check(Path(path))
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        heading = Heading(
            collection=collection,
            engine=self.engine,
            threshold=workflows.calibrating.resolve(
                self._database, collection, workflows.calibrating.parsed(threshold)
            ),
            made_at=datetime.now(UTC),
            made_by=_who(),
            redacted=redact,
        )
        return Report(Path(path), heading, workflows.reading.Reader(self._stored).read)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container may run as a number that nobody has given a name
        user = "an account without a name"
    return f"{user} on {platform.node()}"
