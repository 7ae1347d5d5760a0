"""Enrolment by upload: what lies below people/ is what the collection and the records hold."""

import boto3
import pytest

from facesearch import aws_lambda
from facesearch.aws_lambda import enroll_handler
from facesearch.domain import RunOutcome
from facesearch.errors import FaceSearchError
from facesearch.workflows.following import TRIES, Follower

from .conftest import BUCKET, bridged, notification, queued, record

pytestmark = pytest.mark.usefixtures("staff")


@pytest.fixture
def portraits(samples, smaller):
    """Photos of one drawn person each."""
    people = sorted(path for path in (samples / "people").iterdir())[:3]
    return [smaller(next(path for path in sorted(one.iterdir()) if path.suffix == ".jpg")) for one in people]


@pytest.fixture
def held(s3):
    """held(): who has how many faces in the collection, by itself and by the records, which agree."""
    client = boto3.client("rekognition", region_name="us-east-1")

    def held():
        there = client.list_faces(CollectionId="staff")["Faces"]
        app = aws_lambda._app()
        known = {}
        for one in app.people("staff"):
            known[one.person.name] = one.faces["staff"]
        assert len(there) == sum(known.values())
        return known

    return held


def uploaded(put, key, content):
    event = notification(put(key, content))
    return enroll_handler(event)["objects"][0]["outcome"]


def removed(s3, key):
    s3.delete_object(Bucket=BUCKET, Key=key)
    return enroll_handler(notification(record(key, "ObjectRemoved:Delete")))["objects"][0]["outcome"]


def test_an_uploaded_photo_is_enrolled_under_its_folder(put, held, portraits):
    put("people/Жанна Ek/person.toml", b'key = "E-1"\n[attributes]\nteam = "harbour"\n')
    assert uploaded(put, "people/Жанна Ek/2020/a b.jpg", portraits[0]) == "enrolled"
    assert held() == {"Жанна Ek": 1}
    person = aws_lambda._app().person("E-1").person
    assert person.attributes == {"team": "harbour"}
    [face] = aws_lambda._app().faces("staff", "E-1")
    assert face.enrolled.photo.path == "s3://pictures/people/Жанна Ek/2020/a b.jpg"


def test_the_same_event_again_changes_nothing(put, held, portraits):
    event = queued(notification(put("people/Anna/1.jpg", portraits[0])), bridged("people/Anna/1.jpg"))
    assert [one["outcome"] for one in enroll_handler(event)["objects"]] == ["enrolled", "already"]
    assert held() == {"Anna": 1}


def test_a_removed_photo_takes_its_face_along_and_comes_back_when_it_does(put, s3, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    uploaded(put, "people/Anna/2.jpg", portraits[1])
    assert removed(s3, "people/Anna/1.jpg") == "removed"
    assert removed(s3, "people/Anna/1.jpg") == "removed"
    assert held() == {"Anna": 1}
    assert uploaded(put, "people/Anna/1.jpg", portraits[0]) == "enrolled"
    assert held() == {"Anna": 2}


def test_a_photo_whose_face_is_a_users_takes_it_along_too(put, s3, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    uploaded(put, "people/Anna/2.jpg", portraits[1])
    aws_lambda._app().keep_users("staff")
    assert uploaded(put, "people/Anna/1.jpg", portraits[2]) == "enrolled"
    assert removed(s3, "people/Anna/2.jpg") == "removed"
    assert held() == {"Anna": 1}


def test_a_face_that_the_service_keeps_is_asked_for_again(put, s3, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    client = boto3.client("rekognition", region_name="us-east-1")
    [face] = client.list_faces(CollectionId="staff")["Faces"]
    client.create_user(CollectionId="staff", UserId="somebody-elses")
    client.associate_faces(CollectionId="staff", UserId="somebody-elses", FaceIds=[face["FaceId"]])
    s3.delete_object(Bucket=BUCKET, Key="people/Anna/1.jpg")
    event = notification(record("people/Anna/1.jpg", "ObjectRemoved:Delete"))
    with pytest.raises(FaceSearchError, match="still there"):
        enroll_handler(event)
    client.disassociate_faces(CollectionId="staff", UserId="somebody-elses", FaceIds=[face["FaceId"]])
    assert enroll_handler(event)["objects"][0]["outcome"] == "removed"
    assert held() == {}


def test_a_replaced_photo_replaces_its_face(put, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    before = {one.face.face_id for one in aws_lambda._app().faces("staff")}
    assert uploaded(put, "people/Anna/1.jpg", portraits[1]) == "enrolled"
    assert held() == {"Anna": 1}
    assert before.isdisjoint(one.face.face_id for one in aws_lambda._app().faces("staff"))


def test_events_in_the_wrong_order_end_as_the_bucket_is(put, s3, held, portraits):
    first = notification(put("people/Anna/1.jpg", portraits[0]))
    second = notification(put("people/Anna/1.jpg", portraits[1]))
    enroll_handler(second)
    enroll_handler(first)
    assert held() == {"Anna": 1}
    enroll_handler(notification(record("people/Anna/1.jpg", "ObjectRemoved:Delete")))
    assert held() == {"Anna": 1}, "it lies there again"
    s3.delete_object(Bucket=BUCKET, Key="people/Anna/1.jpg")
    enroll_handler(first)
    assert held() == {}


def test_a_photo_that_lies_there_twice_keeps_its_face_until_the_last_copy_goes(put, s3, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    assert uploaded(put, "people/Anna/copy.jpg", portraits[0]) == "already"
    removed(s3, "people/Anna/1.jpg")
    assert held() == {"Anna": 1}
    removed(s3, "people/Anna/copy.jpg")
    assert held() == {}


def test_one_photo_under_two_people_is_a_face_of_each_that_go_apart(put, s3, held, portraits):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    uploaded(put, "people/Ben/1.jpg", portraits[0])
    assert held() == {"Anna": 1, "Ben": 1}
    removed(s3, "people/Anna/1.jpg")
    assert held() == {"Ben": 1}


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("people/loose.jpg", "belongs to nobody"),
        ("people/Anna/notes.jpg", "it is not a photo"),
        ("people/Anna/lake.jpg", "no face"),
        ("people/Ben/1.jpg", r"person\.json cannot be read"),
    ],
)
def test_what_cannot_be_enrolled_says_why(put, samples, smaller, key, complaint):
    put("people/Ben/person.json", b"[")
    lake = smaller(samples / "queries" / "lake.jpg")
    event = notification(put(key, b"none" if "notes" in key else lake))
    with pytest.raises(FaceSearchError, match=complaint):
        enroll_handler(event)


def test_a_replacement_without_a_face_leaves_none_behind(put, held, portraits, samples, smaller):
    uploaded(put, "people/Anna/1.jpg", portraits[0])
    with pytest.raises(FaceSearchError, match="no face"):
        uploaded(put, "people/Anna/1.jpg", smaller(samples / "queries" / "lake.jpg"))
    assert held() == {}


def test_what_is_nobodys_photo_is_passed_over(put, keys):
    for key in ("people/Anna/", "people/Anna/.DS_Store", "people/Anna/person.toml", "uploads/a.jpg"):
        assert uploaded(put, key, b"x") == "passed over"


def test_a_function_without_a_collection_says_so(monkeypatch):
    monkeypatch.delenv("FACESEARCH_COLLECTION")
    with pytest.raises(FaceSearchError, match="set FACESEARCH_COLLECTION"):
        enroll_handler(notification(record("people/Anna/1.jpg")))


# --- two at a time: what the other does happens right before a step of the first


@pytest.fixture
def meanwhile(monkeypatch):
    """meanwhile("_enrolled", f): f happens, once, right before (or after) that step of the next invocation."""

    def meanwhile(step, happens, after=False):
        real = getattr(Follower, step)
        left = [happens]

        def meddled(self, *args):
            now = left.pop() if left else None
            if now and not after:
                now()
            result = real(self, *args)
            if now and after:
                now()
            return result

        monkeypatch.setattr(Follower, step, meddled)

    return meanwhile


@pytest.mark.parametrize("step", ["_person", "_leave", "_enrolled"])
@pytest.mark.parametrize("after", [False, True])
def test_two_invocations_for_one_object_settle_to_one_face(put, held, portraits, meanwhile, step, after):
    event = notification(put("people/Anna/1.jpg", portraits[0]))
    meanwhile(step, lambda: enroll_handler(event), after)
    enroll_handler(event)
    assert held() == {"Anna": 1}


@pytest.mark.parametrize("step", ["_person", "_leave", "_enrolled"])
@pytest.mark.parametrize("after", [False, True])
def test_a_photo_replaced_and_enrolled_meanwhile_is_the_one_that_stays(
    put, held, portraits, meanwhile, step, after
):
    event = notification(put("people/Anna/1.jpg", portraits[0]))
    meanwhile(step, lambda: uploaded(put, "people/Anna/1.jpg", portraits[1]), after)
    enroll_handler(event)
    assert held() == {"Anna": 1}
    known = boto3.client("rekognition", region_name="us-east-1").search_faces_by_image(
        CollectionId="staff", Image={"Bytes": portraits[1]}
    )
    assert known["FaceMatches"][0]["Similarity"] > 99.9


@pytest.mark.parametrize("step", ["_person", "_leave", "_enrolled"])
def test_a_photo_removed_meanwhile_leaves_no_face(put, s3, held, portraits, meanwhile, step):
    event = notification(put("people/Anna/1.jpg", portraits[0]))
    meanwhile(step, lambda: removed(s3, "people/Anna/1.jpg"), after=True)
    enroll_handler(event)
    assert held() == {}


def happened(left):
    """What is left to happen does; an event of botocore's takes an answer for its own."""
    if left:
        left.pop()()


@pytest.mark.parametrize("what", ["again", "another", "replaced", "removed"])
def test_what_happens_while_the_service_is_asked_ends_as_the_bucket_is(put, s3, held, portraits, what):
    event = notification(put("people/Anna/1.jpg", portraits[0]))
    happens = {
        "again": lambda: enroll_handler(event),
        "another": lambda: uploaded(put, "people/Anna/2.jpg", portraits[1]),
        "replaced": lambda: uploaded(put, "people/Anna/1.jpg", portraits[1]),
        "removed": lambda: removed(s3, "people/Anna/1.jpg"),
    }
    left = [happens[what]]
    events = aws_lambda._app()._gateway._client.meta.events
    events.register("before-call.rekognition.IndexFaces", lambda **_: happened(left))
    enroll_handler(event)
    assert (
        held() == {"again": {"Anna": 1}, "another": {"Anna": 2}, "replaced": {"Anna": 1}, "removed": {}}[what]
    )
    runs = aws_lambda._app().runs()
    assert {run.outcome for run in runs} == {RunOutcome.FINISHED}


def test_a_photo_replaced_without_end_is_left_for_later(put, portraits, monkeypatch):
    real, changes = Follower._enrolled, []

    def replaced_again(self, *args):
        outcome = real(self, *args)
        changes.append(put("people/Anna/1.jpg", portraits[1 + len(changes) % 2]))
        return outcome

    monkeypatch.setattr(Follower, "_enrolled", replaced_again)
    with pytest.raises(FaceSearchError, match="was replaced all the while"):
        enroll_handler(notification(put("people/Anna/1.jpg", portraits[0])))
    assert len(changes) == TRIES
