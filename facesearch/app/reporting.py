"""A search as a page to show."""

from __future__ import annotations

import getpass
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch.app.bound import Bound
from facesearch.domain.calibration import Rate
from facesearch.workflows.reading import Reader

if TYPE_CHECKING:
    from facesearch.reporting.report import Report


class Reporting(Bound):
    """Write what a search finds into a page."""

    def report(
        self,
        path: Path | str,
        collection_id: str,
        *,
        threshold: float = 80.0,
        false_matches: Rate | None = None,
        redact: bool = False,
    ) -> Report:
        """An HTML page about a search, for the length of a `with` block; `add` takes the search's answers.

            with fs.report("found.html", "staff") as page:
                for photo in fs.search(["visitor.jpg"], "staff"):
                    page.add(photo)

        The page is there when the block is left without error, in place of an earlier one. `threshold` is that of
        the search, and `false_matches` what is known of it. With `redact` it shows and names nobody but those who
        were found. Raises UsageError for a path where no page can be written.
        """
        from facesearch.reporting.page import Heading
        from facesearch.reporting.report import Report, check

        check(Path(path))
        heading = Heading(
            collection=self._gateway.describe_collection(collection_id),
            engine=self.engine,
            threshold=threshold,
            made_at=datetime.now(UTC),
            made_by=_who(),
            redacted=redact,
            false_matches=false_matches,
        )
        return Report(Path(path), heading, Reader(self._stored).read)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container may run as a number that nobody has given a name
        user = "an account without a name"
    return f"{user} on {platform.node()}"
