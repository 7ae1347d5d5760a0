"""Tagging photos with labels, and finding them by label."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain.labels import FoundLabel, TaggedPhoto
    from facesearch.s3_objects import S3Objects


class Tagging(Bound):
    """Ask what photos show, keep it, and search it."""

    def tag(
        self,
        paths: Sequence[Path | str],
        *,
        min_confidence: float = 55.0,
        max_labels: int | None = None,
        to: Path | str | None = None,
        jobs: int | None = None,
    ) -> Generator[TaggedPhoto]:
        """Ask what each photo shows: files, folders with all below them, and s3://bucket/prefix.

        An object in S3 is not downloaded: the engine reads it. The labels, those of a Custom Labels model among
        them where the settings name one, are remembered for `find_labels` and, with `to` (a folder or
        s3://bucket/prefix), written as a JSON document for each photo, which lies there as the photo does below
        its path. Labels that are known of the same content and by the same request are not asked for again.

        Raises UsageError, before the first photo, for paths that cannot be used.
        """
        self.expect_photos()
        place = None if to is None else str(to)
        photos = workflows.tagging_many.planned(paths, self._stored, place)
        tagger = self._tagger(min_confidence, max_labels)
        return workflows.tagging_many.tag_all(
            tagger, self._database, self._counted_as, photos, place, jobs or self.settings.jobs
        )

    def tag_object(self, address: str, to: str, name: str) -> TaggedPhoto | None:
        """Ask what an object in S3 shows, as it is now, and keep it in a document of S3, not in the records.

        The document lies below `to` as the object does below its folder, where it is called `name`. Its labels are
        asked for once, however often this is called. None for a key that is no photo's: a folder, a .DS_Store.

        Raises InvalidRequestError and PhotoError for an object that cannot be tagged, and what concerns S3 or the
        service.
        """
        return (
            self._tagger()(address, workflows.documents.address_of(to, name))
            if workflows.tagging_many.is_photo(name)
            else None
        )

    def find_labels(
        self, words: str | None = None, *, parent: str | None = None, min_confidence: float = 0.0
    ) -> Iterator[FoundLabel]:
        """Photos that were tagged with a label of those words, or below a parent of those, surest first.

        Raises UsageError when neither is given.
        """
        with self._database.read() as records:
            yield from records.find_labels(words, parent, min_confidence)

    def _tagger(
        self, min_confidence: float = 55.0, max_labels: int | None = None
    ) -> workflows.tagging.Tagger:
        from facesearch.domain.labels import LabelRequest

        request = LabelRequest(min_confidence, max_labels, self.settings.custom_labels_project_version_arn)
        return workflows.tagging.Tagger(
            self._gateway, self._objects, workflows.documents.Anywhere(self._objects), request
        )

    @cached_property
    def _objects(self) -> S3Objects:
        """Objects in S3; nothing of botocore's is loaded before the first of them."""
        from facesearch.s3_objects import S3Objects

        return S3Objects(self._open_s3)
