"""Enrolling and searching by upload: what lies in a bucket is enrolled, and who is in a photo lies beside it."""

from __future__ import annotations

from facesearch.app.enrolling import Enrolling
from facesearch.app.searching import Searching
from facesearch.app.tagging import Tagging
from facesearch.domain import EnrolmentReport, GivenPhoto, PhotoOutcome, PhotoSearch, PlannedPhoto
from facesearch.workflows import collections, enrolling, matching
from facesearch.workflows.documents import Anywhere, address_of
from facesearch.workflows.following import Follower
from facesearch.workflows.reading import Reader
from facesearch.workflows.tagging_many import is_photo


class Following(Enrolling, Searching, Tagging):
    """Follow objects of S3, one at a time; several processes may follow one object."""

    def follow_object(self, address: str, root: str, collection_id: str) -> PhotoOutcome | None:
        """Bring a collection to what lies at an address now; None where nothing does, or no photo by its key.

        The first folder below `root` (s3://bucket/people/) is the person, as `enroll` understands it. A photo that
        was replaced is enrolled anew and its old face deleted; so is the face of one that is gone.

        Raises PhotoError and UsageError for what can never be enrolled, and what concerns S3, the service and the
        records.
        """
        if not is_photo(address):
            return None
        collection = collections.ensure(self._gateway, self._database, collection_id)

        def enrol(photo: PlannedPhoto, reader: Reader) -> EnrolmentReport:
            return enrolling.enroll(
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

        follower = Follower(
            self._gateway, self._database, self._objects, self._stored, collection, root, enrol
        )
        return follower(address)

    def match_object(self, address: str, to: str, name: str, collection_id: str) -> str | None:
        """Search a collection with an object as it is now, and write who is in it to a document of S3.

        The document lies below `to` as the object does below its folder, where it is called `name`. Says how the
        search ended (matched, unmatched, no_face), `already` where the document was there, and None where the
        object is gone or no photo by its key. Raises what `follow_object` raises.
        """
        if not is_photo(name):
            return None

        def search(photo: GivenPhoto) -> PhotoSearch:
            return next(self.search([photo], collection_id, jobs=1))

        document = address_of(to, name)
        asked = {"collection": collection_id}
        return matching.match(self._objects, Anywhere(self._objects), search, address, document, asked)
