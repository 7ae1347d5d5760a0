"""Faults on purpose: what clients see of them, that they repeat, and that impossible ones are refused at once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from facesearch.engine.faults import Faults
from facesearch.testing import mock_rekognition

LOSES_THE_FIRST = 6  # a seed: half of the answers are lost, the first of CreateCollection and not the second


def new_client(attempts=1):
    return boto3.client("rekognition", config=Config(retries={"total_max_attempts": attempts}))


def outcome(call, **arguments):
    """The code of the error that a call meets, None for a result."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    except ConnectionClosedError:
        return "lost"


def outcomes(count=200, **faults):
    with mock_rekognition(**faults):
        client = new_client()
        return [outcome(client.list_collections) for _ in range(count)]


EVERYTHING = {
    "throttle": 0.1,
    "errors": {"ListCollections": {"InternalServerError": 0.1, "AccessDeniedException": 0.1}},
    "lost_answers": 0.1,
}


def test_without_faults_nothing_fails():
    assert set(outcomes()) == {None}


def test_throttling_is_as_frequent_as_asked_and_has_both_of_awss_codes():
    counts = Counter(outcomes(1000, throttle=0.2))
    assert counts.keys() == {None, "ThrottlingException", "ProvisionedThroughputExceededException"}
    assert 750 < counts[None] < 850


def test_a_throttled_call_looks_like_awss():
    with mock_rekognition(throttle=1):
        client = new_client()
        with pytest.raises(ClientError) as caught:
            client.list_collections()
    assert isinstance(
        caught.value,
        (client.exceptions.ThrottlingException, client.exceptions.ProvisionedThroughputExceededException),
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"]


def test_boto3_gets_through_throttling_by_its_own_retries(waits):
    with mock_rekognition(throttle=0.4, seed=3):
        client = new_client(attempts=10)
        for number in range(20):
            client.create_collection(CollectionId=f"c{number}")
        assert len(client.list_collections()["CollectionIds"]) == 20
    assert len(waits) > 5


def test_an_error_of_one_operation_is_always_answered_and_others_are_spared():
    with mock_rekognition(errors={"DeleteCollection": "AccessDeniedException"}):
        client = new_client()
        client.create_collection(CollectionId="staff")
        for _ in range(3):
            assert outcome(client.delete_collection, CollectionId="staff") == "AccessDeniedException"
        assert client.list_collections()["CollectionIds"] == ["staff"]


def test_several_errors_of_an_operation_come_as_often_as_each_was_asked_for():
    codes = {"InternalServerError": 0.3, "ProvisionedThroughputExceededException": 0.2}
    counts = Counter(outcomes(1000, errors={"ListCollections": codes}))
    assert 250 < counts["InternalServerError"] < 350
    assert 150 < counts["ProvisionedThroughputExceededException"] < 250
    assert 450 < counts[None] < 550


def test_an_error_of_an_operation_that_the_engine_lacks_can_be_injected_too():
    with mock_rekognition(errors={"DetectModerationLabels": "ImageTooLargeException"}):
        code = outcome(new_client().detect_moderation_labels, Image={"Bytes": b"any"})
    assert code == "ImageTooLargeException"


def test_the_same_seed_meets_the_same_faults_and_another_seed_others():
    assert outcomes(seed=7, **EVERYTHING) == outcomes(seed=7, **EVERYTHING)
    assert outcomes(seed=7, **EVERYTHING) != outcomes(seed=8, **EVERYTHING)


def test_faults_are_the_same_in_every_process_and_release():
    spared = "".join("x" if code else "." for code in outcomes(12, throttle=0.5, seed=7))
    assert spared == ".x.x..xxxx.."


def test_each_entry_of_one_mock_repeats_its_faults():
    mock = mock_rekognition(throttle=0.5)
    runs = []
    for _ in range(2):
        with mock:
            client = new_client()
            runs.append([outcome(client.list_collections) for _ in range(50)])
    assert runs[0] == runs[1]


def test_calls_of_one_operation_do_not_change_the_luck_of_another():
    def of_lists(others):
        with mock_rekognition(throttle=0.5):
            client = new_client()
            found = []
            for _ in range(30):
                for _ in range(others):
                    outcome(client.describe_collection, CollectionId="nobody")
                found.append(outcome(client.list_collections))
            return found

    assert of_lists(others=0) == of_lists(others=3)


def test_threads_meet_as_many_faults_as_one_thread_does():
    with mock_rekognition(throttle=0.5), ThreadPoolExecutor(8) as pool:
        client = new_client()
        together = Counter(pool.map(lambda _: outcome(client.list_collections), range(200)))
    assert together == Counter(outcomes(200, throttle=0.5))


def test_the_work_of_a_lost_answer_is_done():
    with mock_rekognition(lost_answers=1):
        client = new_client()
        assert outcome(client.create_collection, CollectionId="staff") == "lost"
        assert outcome(client.list_collections) == "lost"
    with mock_rekognition(lost_answers=0.5, seed=LOSES_THE_FIRST):
        client = new_client()
        assert outcome(client.create_collection, CollectionId="staff") == "lost"
        assert outcome(client.create_collection, CollectionId="staff") == "ResourceAlreadyExistsException"


def test_boto3_repeats_a_call_whose_answer_is_lost_and_a_named_face_is_stored_once(waits, amara):
    with mock_rekognition(lost_answers=0.5):
        client = new_client(attempts=10)
        outcome(client.create_collection, CollectionId="staff")
        for _ in range(5):
            client.index_faces(CollectionId="staff", Image={"Bytes": amara[0]}, ExternalImageId="amara")
        assert len(client.list_faces(CollectionId="staff")["Faces"]) == 1
    assert waits


@pytest.mark.parametrize(("latency", "least", "most"), [(0.02, 0.02, 0.02), ((0.01, 0.03), 0.01, 0.03)])
def test_every_call_waits_for_the_latency_it_was_given(monkeypatch, latency, least, most):
    slept = []
    monkeypatch.setattr("facesearch.engine.faults.time.sleep", slept.append)
    outcomes(50, latency=latency)
    assert len(slept) == 50
    assert all(least <= seconds <= most for seconds in slept)
    assert (len(set(slept)) > 1) == (least < most)


def test_latency_is_real_time():
    started = time.perf_counter()
    outcomes(2, latency=0.05)
    assert time.perf_counter() - started > 0.1


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"throttle": 1.5}, "throttle is a probability"),
        ({"throttle": -0.1}, "throttle is a probability"),
        ({"throttle": float("nan")}, "throttle is a probability"),
        ({"throttle": "0.1"}, "throttle is a probability"),
        ({"throttle": True}, "throttle is a probability"),
        ({"lost_answers": 2}, "lost_answers is a probability"),
        ({"latency": -1}, "latency is a number"),
        ({"latency": float("inf")}, "latency is a number"),
        ({"latency": (0.4, 0.05)}, "latency is a number"),
        ({"latency": (1, 2, 3)}, "latency is a number"),
        ({"latency": "fast"}, "latency is a number"),
        ({"errors": {"IndexFace": "InternalServerError"}}, "did you mean IndexFaces"),
        ({"errors": {"index_faces": "InternalServerError"}}, "no operation 'index_faces'"),
        ({"errors": {"IndexFaces": "NoSuchCode"}}, "never answers 'NoSuchCode'; it answers AccessDenied"),
        ({"errors": {"ListCollections": "ImageTooLargeException"}}, "never answers 'ImageTooLarge"),
        (
            {"errors": {"IndexFaces": {"InternalServerError": 2}}},
            "InternalServerError of IndexFaces is a prob",
        ),
        ({"errors": {"IndexFaces": {"InternalServerError": 0.6, "ThrottlingException": 0.6}}}, "more than 1"),
        ({"errors": {"IndexFaces": 0.5}}, "errors: IndexFaces is given 0.5"),
        ({"errors": {"IndexFaces": ["InternalServerError"]}}, "errors: IndexFaces is given"),
    ],
)
def test_faults_that_cannot_be_are_refused_when_they_are_asked_for(faults, complaint):
    with pytest.raises(ValueError, match=complaint):
        mock_rekognition(**faults)


# --- as a command line says them


def test_faults_can_be_said_in_words():
    said = Faults.parse(
        throttle=0.1,
        errors=[
            "IndexFaces=InternalServerError:0.2",
            "IndexFaces=ThrottlingException:0.1",
            "DetectFaces=AccessDeniedException",
        ],
        latency="0.05-0.4",
        lost_answers=0.03,
        seed=7,
    )
    assert said == Faults(
        throttle=0.1,
        errors={
            "IndexFaces": {"InternalServerError": 0.2, "ThrottlingException": 0.1},
            "DetectFaces": {"AccessDeniedException": 1.0},
        },
        latency=(0.05, 0.4),
        lost_answers=0.03,
        seed=7,
    )
    assert Faults.parse(latency="0.05") == Faults(latency=0.05)
    assert Faults.parse() == Faults()


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"errors": ["IndexFaces"]}, "OPERATION=CODE"),
        ({"errors": ["=InternalServerError"]}, "OPERATION=CODE"),
        ({"errors": ["IndexFaces=:0.5"]}, "OPERATION=CODE"),
        ({"errors": ["IndexFaces=InternalServerError:often"]}, "'often' is no number"),
        ({"errors": ["IndexFaces=InternalServerError:"]}, "'' is no number"),
        ({"errors": ["IndexFaces=InternalServerError"] * 2}, "given twice"),
        ({"latency": "slow"}, "'slow' is no number"),
        ({"latency": "0.4-0.05"}, "latency is a number"),
        ({"latency": "-1"}, "'' is no number"),
        ({"latency": "nan"}, "latency is a number"),
    ],
)
def test_words_that_say_no_fault_are_refused(said, complaint):
    with pytest.raises(ValueError, match=complaint):
        Faults.parse(**said)
