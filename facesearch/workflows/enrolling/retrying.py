"""Photos to enrol once more: those that failed, were no photo, or could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from facesearch.domain import Collection, PersonSpec, PlannedPhoto, UnfinishedPhoto
from facesearch.workflows.enrolling.ports import Database, Records

Page = Callable[[Records, int], list[UnfinishedPhoto]]


def unfinished(database: Database, collection: Collection) -> Iterator[PlannedPhoto]:
    """Each of them where it was last seen, once: one that fails again meanwhile does not come again."""
    yield from _planned(database, lambda records, after: records.unfinished(collection.arn, after))
    yield from _planned(database, lambda records, after: records.unread(collection.arn, after))


def _planned(database: Database, page_of: Page) -> Iterator[PlannedPhoto]:
    after = 0
    while True:
        with database.read() as records:
            page = page_of(records, after)
        if not page:
            return
        for photo in page:
            assert photo.person is not None, "only photos that show somebody are unfinished"
            yield PlannedPhoto(
                photo.path, PersonSpec(photo.person.name), known=photo.person, was=photo.sha256
            )
        after = page[-1].number
