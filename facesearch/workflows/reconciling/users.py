"""Users: each person of a collection as one user of it, so that a search can go by all of their faces at once.

A collection has users when somebody asked for them. The UserId is the person's id. A user may have 100 faces; of
somebody with more, those that were enrolled first are the user's, and others follow when one of them goes, so that
enrolling more never takes calls for faces that are in place.

The records know which faces were given to a user. So what is missing after an enrolment, whole or cut short, is
found without a call; that the service agrees is what reconciling looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from facesearch.domain import Change, Collection, Deletion
from facesearch.workflows.collections import FACE_NOT_FOUND
from facesearch.workflows.reconciling.carrying import (
    ASSOCIATE,
    CREATE_USER,
    DELETE_FACES,
    DELETE_USER,
    DISASSOCIATE,
    carry_out,
    repeatable,
)
from facesearch.workflows.reconciling.ports import Database, Gateway

MOST = 100  # faces of one user
PEOPLE = 100  # people whose faces are dealt with at a time


@dataclass(frozen=True, slots=True)
class Kept:
    """How many faces were given to the users of how many people, and why the service refused others, by FaceId."""

    people: int
    faces: int
    refused: Mapping[str, str]


def turn_on(gateway: Gateway, database: Database, collection: Collection) -> Kept:
    """From now on each person of the collection has a user in it; those who have none get one."""
    with database.begin() as records:
        records.keep_users(collection.arn, True)
    return keep_up(gateway, database, collection)


def turn_off(gateway: Gateway, database: Database, collection: Collection) -> int:
    """Delete the users of the collection's people and have none from now on; faces stay. Returns how many."""
    with database.begin() as records:
        records.keep_users(collection.arn, False)
    deleted, after = 0, ""
    while True:
        with database.read() as records:
            people = records.people_with_user(collection.arn, after, PEOPLE)
        if not people:
            return deleted
        changes = [Change(DELETE_USER, user_id=person_id) for person_id in people]
        deleted += len(_made(gateway, database, collection, changes)[0])
        after = people[-1]


def keep_up(gateway: Gateway, database: Database, collection: Collection) -> Kept:
    """Give the faces that no user has to the users of their people, where the collection has users.

    What somebody who died left to be done to users is done first. Takes a call for each person with new faces, and
    one more for somebody who has no user yet.
    """
    with database.read() as records:
        if not records.keeps_users(collection.arn):
            return Kept(0, 0, {})
    people = faces = 0
    refused = dict(take_up(gateway, database, collection))
    after = ""
    while page := _page(database, collection.arn, after):
        changes = [Change(CREATE_USER, user_id=person_id) for person_id, held, _ in page if not held] + [
            Change(ASSOCIATE, face_id=face_id, user_id=person_id)
            for person_id, _, face_ids in page
            for face_id in face_ids
        ]
        done, why = _made(gateway, database, collection, changes)
        given = [change for change in done if change.operation == ASSOCIATE]
        faces += len(given)
        people += len({change.user_id for change in given})
        refused |= why
        after = page[-1][0]
    return Kept(people, faces, refused)


def take_up(
    gateway: Gateway, database: Database, collection: Collection, *, deleting: bool = False
) -> Mapping[str, str]:
    """Make the changes of users that were written down and not made. Gives why some were refused.

    Faces are deleted that leave their user for it, and with `deleting` all that are to be.
    """
    changes: list[Change] = []
    after = 0
    while True:
        with database.read() as records:
            page = records.open_changes(collection.arn, after=after)
        if not page:
            break
        changes += [change for change in page if repeatable(change)]
        after = page[-1].id or after
    leaving = {change.face_id for change in changes if change.operation == DISASSOCIATE}
    wanted = [one for one in changes if one.operation != DELETE_FACES or deleting or one.face_id in leaving]
    return carry_out(gateway, database, collection, wanted).refused


def delete_faces(
    gateway: Gateway, database: Database, collection: Collection, face_ids: Sequence[str]
) -> Deletion:
    """Delete faces from the collection, and then the records of those that are gone from it.

    First they leave their users: the service keeps a user's faces.
    """
    with database.read() as records:
        users = records.users_of(collection.arn, face_ids)
    changes = [Change(DISASSOCIATE, face_id=face_id, user_id=user) for face_id, user in users.items()]
    _made(gateway, database, collection, changes)
    answer = gateway.delete_faces(collection.collection_id, face_ids)
    gone = [*answer.deleted, *(id_ for id_, why in answer.refused.items() if FACE_NOT_FOUND in why)]
    with database.begin() as records:
        face_records = records.delete_faces(collection.arn, gone)
    return Deletion({collection.collection_id: len(answer.deleted)}, face_records, refused=answer.refused)


def missing(database: Database, arn: str) -> Iterator[list[tuple[str, str]]]:
    """Faces that are to be given to a user, as pairs of person id and FaceId, in pages."""
    after = ""
    while page := _page(database, arn, after):
        yield [(person_id, face_id) for person_id, _, face_ids in page for face_id in face_ids]
        after = page[-1][0]


def _page(database: Database, arn: str, after: str) -> list[tuple[str, int, list[str]]]:
    with database.read() as records:
        return records.without_user(arn, after, PEOPLE, MOST)


def _made(
    gateway: Gateway, database: Database, collection: Collection, changes: Sequence[Change]
) -> tuple[list[Change], Mapping[str, str]]:
    """Intend the changes and make them. Gives those that are made, and why others were refused."""
    with database.begin() as records:
        ids = records.intend_changes(collection.arn, changes)
    intended = [replace(change, id=id_) for change, id_ in zip(changes, ids, strict=True)]
    carried = carry_out(gateway, database, collection, intended)
    return [change for change in intended if change.id in carried.done], carried.refused
