"""FaceSearch: the use cases bound to one engine and one database, for the command line and for Python."""

from __future__ import annotations

from facesearch.app.calibrating import Calibrating
from facesearch.app.collections import Collections
from facesearch.app.costing import Costing
from facesearch.app.enrolling import Enrolling
from facesearch.app.explaining import Explaining
from facesearch.app.following import Following
from facesearch.app.people import People
from facesearch.app.portability import Portability
from facesearch.app.reconciling import Reconciling
from facesearch.app.reporting import Reporting
from facesearch.app.runs import Runs
from facesearch.app.searching import Searching
from facesearch.app.tagging import Tagging
from facesearch.settings import Settings

__all__ = ["FaceSearch"]


class FaceSearch(
    Following,  # before those that it is made of
    Collections,
    Costing,
    Portability,
    Enrolling,
    Calibrating,
    Explaining,
    Searching,
    Reporting,
    Tagging,
    People,
    Reconciling,
    Runs,
):
    """Enrol people, search photos, and look after collections.

        with FaceSearch.open() as fs:
            fs.enroll(["people"], "staff")
            for photo in fs.search(["visitor.jpg"], "staff"):
                print(photo.status, [match.person for face in photo.faces for match in face.matches])

    Every method raises FaceSearchError, or a more telling child of it. The engine and the records are opened at
    the first use of each. An instance may be used by one thread at a time; it makes threads of its own.
    """

    @classmethod
    def open(cls, settings: Settings | None = None, **arguments: object) -> FaceSearch:
        """Open with settings, or with arguments named like settings: FaceSearch.open(engine="aws").

        What is not given comes from the environment, facesearch.toml and the defaults.
        """
        from facesearch.bootstrap import open_app

        return open_app(settings or Settings.resolve(arguments))
