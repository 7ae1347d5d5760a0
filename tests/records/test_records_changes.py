"""Changes of collections: intended, settled, and found again by who comes after a crash."""

from dataclasses import replace
from datetime import timedelta

from facesearch.domain import Change, ChangeState


def delete(face_id, person_id=None):
    return Change("DeleteFaces", face_id=face_id, person_id=person_id)


def test_an_intended_change_is_open_until_it_is_settled(database, staff):
    with database.begin() as records:
        first, second = records.intend_changes(
            staff.arn, [delete("a", "p"), Change("DeleteUser", user_id="u")]
        )
    with database.begin() as records:
        opened = records.open_changes(staff.arn)
        assert [(c.id, c.operation, c.face_id, c.user_id, c.person_id, c.attempts) for c in opened] == [
            (first, "DeleteFaces", "a", None, "p", 0),
            (second, "DeleteUser", None, "u", None, 0),
        ]
        records.settle_changes([first], request_id="r-1")
        records.settle_changes([second], ChangeState.REFUSED, reason="no such user")
    with database.read() as records:
        assert records.open_changes(staff.arn) == []


def test_a_change_that_was_not_confirmed_stays_open_and_counts_its_attempts(database, staff):
    with database.begin() as records:
        [number] = records.intend_changes(staff.arn, [delete("a")])
    for attempt in (1, 2):
        with database.begin() as records:
            records.settle_changes([number], ChangeState.INTENT, reason="throttled", request_id="r")
        with database.read() as records:
            [change] = records.open_changes(staff.arn)
            assert (change.attempts, change.reason, change.state) == (
                attempt,
                "throttled",
                ChangeState.INTENT,
            )


def test_what_is_open_already_is_not_written_twice(database, staff):
    with database.begin() as records:
        [number] = records.intend_changes(staff.arn, [delete("a")])
        associated = Change("DisassociateFaces", face_id="a", user_id="u")
        again = records.intend_changes(staff.arn, [delete("b"), delete("a"), delete("b"), associated])
        assert again[1] == number and again[0] == again[2] and len(set(again)) == 3
        records.settle_changes([number])
        assert records.intend_changes(staff.arn, [delete("a")]) != [number]


def test_thousands_are_read_page_by_page_and_by_person(database, staff):
    with database.begin() as records:
        ids = records.intend_changes(
            staff.arn, [delete(f"face-{n}", "odd" if n % 2 else "even") for n in range(2500)]
        )
        assert ids == sorted(ids)
    with database.read() as records:
        page = records.open_changes(staff.arn, limit=2000)
        rest = records.open_changes(staff.arn, after=page[-1].id)
        assert [c.face_id for c in page + rest] == [f"face-{n}" for n in range(2500)]
        odd = records.open_changes(staff.arn, person_id="odd")
        assert [c.face_id for c in odd] == [f"face-{n}" for n in range(1, 2500, 2)]


def test_changes_go_with_their_collection_and_belong_to_it_alone(database, staff, making):
    other = making.collection("other")
    with database.begin() as records:
        records.remember_collection(other)
        [number] = records.intend_changes(staff.arn, [delete("a")])
        assert records.open_changes(other.arn) == []
        records.forget_collection(staff.arn)
        records.settle_changes([number])
        records.remember_collection(staff)
        assert records.open_changes(staff.arn) == []


def test_a_collection_made_anew_has_none_of_the_changes_of_the_old_one(database, staff):
    with database.begin() as records:
        records.intend_changes(staff.arn, [delete("a")])
        made = replace(staff, created_at=staff.created_at + timedelta(days=1))
        assert records.remember_collection(made)
        assert records.open_changes(staff.arn) == []
