"""Enrolling and searching by upload: what lies in a bucket is enrolled, and who is in a photo lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.enrolling import Enrolling
from facesearch.app.searching import Searching
from facesearch.app.tagging import Tagging

if TYPE_CHECKING:
    from facesearch.domain import EnrolmentReport, GivenPhoto, PhotoOutcome, PhotoSearch, PlannedPhoto


class Following(Enrolling, Searching, Tagging):
    """Follow objects of S3, one at a time; several processes may follow one object."""

    def follow_object(self, address: str, root: str, collection_id: str) -> PhotoOutcome | None:
        """Bring a collection to what lies at an address now; None where nothing does, or no photo by its key.

        The first folder below `root` (s3://bucket/people/) is the person, as `enroll` understands it. A photo that
        was replaced is enrolled anew and its old face deleted; so is the face of one that is gone.

        Raises PhotoError and UsageError for what can never be enrolled, and what concerns S3, the service and the
        records.
        """
        if not workflows.tagging_many.is_photo(address):
            return None
        collection = workflows.collections.ensure(self._gateway, self._database, collection_id)

        def enrol(photo: PlannedPhoto, reader: workflows.reading.Reader) -> EnrolmentReport:
            return workflows.enrolling.enroll(
                self._gateway,
                self._database,
                [photo],
                collection,
                reader,
                source=address,
                door=self._door(None, 0, "AUTO"),
                count_calls=self._count_calls,
                alone=False,
            )

        follower = workflows.following.Follower(
            self._gateway, self._database, self._objects, self._stored, collection, root, enrol
        )
        return follower(address)

    def match_object(self, address: str, to: str, name: str, collection_id: str) -> str | None:
        """Search a collection with an object as it is now, and write who is in it to a document of S3.

        The document lies below `to` as the object does below its folder, where it is called `name`. Says how the
        search ended (matched, unmatched, no_face), `already` where the document was there, and None where the
        object is gone or no photo by its key. Raises what `follow_object` raises.
        """
        if not workflows.tagging_many.is_photo(name):
            return None

        def search(photo: GivenPhoto) -> PhotoSearch:
            return next(self.search([photo], collection_id, jobs=1))

        document = workflows.documents.address_of(to, name)
        asked = {"collection": collection_id}
        return workflows.matching.match(
            self._objects, workflows.documents.Anywhere(self._objects), search, address, document, asked
        )
