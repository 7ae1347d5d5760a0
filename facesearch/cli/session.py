"""Opening the app for one command, and saying first where its work will land."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facesearch.cli.talk import say
from facesearch.errors import CollectionNotFoundError

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.settings import Settings


@contextmanager
def opened(settings: Settings, collection_id: str | None = None) -> Iterator[FaceSearch]:
    """The app, closed at the end of the block. Says on stderr which engine, collection and records it uses."""
    from facesearch.bootstrap import open_app

    with open_app(settings) as app:
        say(whereabouts(app, collection_id))
        yield app


def whereabouts(app: FaceSearch, collection_id: str | None) -> str:
    """`engine: embedded · collection: staff · records: sqlite:///...`, for AWS with account and region."""
    parts = [f"engine: {app.engine}{_account(app, collection_id) if app.engine == 'aws' else ''}"]
    if collection_id is not None:
        parts.append(f"collection: {collection_id}")
    parts.append(f"records: {app.settings.shown()['database_url'][0]}")
    return " · ".join(parts)


def _account(app: FaceSearch, collection_id: str | None) -> str:
    """Account and region out of the collection's ARN; nothing for a collection that is still to be made."""
    if collection_id is None:
        return ""
    try:
        arn = app.collection(collection_id).arn
    except CollectionNotFoundError:
        return ""
    _, _, _, region, account, _ = arn.split(":", 5)
    return f" (account {account}, {region})"
