"""Collections, through boto3: made, described, listed, deleted."""

import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError


def listed(client, **options):
    return client.list_collections(**options)["CollectionIds"]


def test_a_new_collection_is_empty_and_bound_to_the_engine_s_model(client, recognizer):
    made = client.create_collection(CollectionId="staff")
    assert made["StatusCode"] == 200
    assert made["FaceModelVersion"] == recognizer.model_version
    described = client.describe_collection(CollectionId="staff")
    assert (described["FaceCount"], described["UserCount"]) == (0, 0)
    assert described["FaceModelVersion"] == recognizer.model_version
    assert abs(described["CreationTimestamp"] - datetime.now(UTC)) < timedelta(seconds=30)


def test_only_create_collection_leaves_the_prefix_out_of_the_arn(client, engine):
    made = client.create_collection(CollectionId="staff")["CollectionArn"]
    arn = client.describe_collection(CollectionId="staff")["CollectionARN"]
    assert arn.startswith("arn:aws:rekognition:us-east-1:") and arn.endswith(":collection/staff")
    assert arn == f"arn:{made}"


def test_two_stores_never_have_the_same_arn_for_one_name(new_engine, connect, tmp_path):
    arns = set()
    for name in ("a.db", "b.db"):
        client = connect(new_engine(tmp_path / name))
        client.create_collection(CollectionId="staff")
        arns.add(client.describe_collection(CollectionId="staff")["CollectionARN"])
    assert len(arns) == 2


def test_a_name_is_taken_once(client):
    client.create_collection(CollectionId="staff")
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException) as refused:
        client.create_collection(CollectionId="staff")
    assert refused.value.response["Error"]["Message"] == "The collection id: staff already exists"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_names_differ_by_case(client):
    client.create_collection(CollectionId="staff")
    client.create_collection(CollectionId="STAFF")
    assert listed(client) == ["staff", "STAFF"]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("describe_collection", {}),
        ("delete_collection", {}),
        ("list_faces", {}),
        ("delete_faces", {"FaceIds": ["0" * 8 + "-0000-0000-0000-" + "0" * 12]}),
        ("search_faces", {"FaceId": "0" * 8 + "-0000-0000-0000-" + "0" * 12}),
        ("search_faces_by_image", {"Image": {"Bytes": b"x"}}),
        ("index_faces", {"Image": {"Bytes": b"x"}}),
    ],
)
def test_a_collection_that_is_not_there_is_not_found(client, operation, more):
    with pytest.raises(client.exceptions.ResourceNotFoundException) as refused:
        getattr(client, operation)(CollectionId="nowhere", **more)
    assert refused.value.response["Error"]["Message"] == "The collection id: nowhere does not exist"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_deleted_collection_is_gone_and_its_name_free(client):
    client.create_collection(CollectionId="staff")
    assert client.delete_collection(CollectionId="staff")["StatusCode"] == 200
    assert listed(client) == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_collection(CollectionId="staff")
    client.create_collection(CollectionId="staff")


def test_the_paginator_gives_every_collection_once_with_its_model(client, recognizer):
    names = [f"c{number}" for number in range(11)]
    for name in names:
        client.create_collection(CollectionId=name)
    pages = list(client.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["CollectionIds"]) for page in pages] == [4, 4, 3]
    assert [name for page in pages for name in page["CollectionIds"]] == names
    assert all(
        page["FaceModelVersions"] == [recognizer.model_version] * len(page["CollectionIds"]) for page in pages
    )


def test_a_page_that_ends_the_list_gives_no_token(client):
    for number in range(4):
        client.create_collection(CollectionId=f"c{number}")
    first = client.list_collections(MaxResults=2)
    assert "NextToken" not in client.list_collections(MaxResults=2, NextToken=first["NextToken"])
    assert "NextToken" not in client.list_collections(MaxResults=4)


def test_no_more_than_zero_results_means_the_default(client):
    client.create_collection(CollectionId="a")
    client.create_collection(CollectionId="b")
    answer = client.list_collections(MaxResults=0)
    assert answer["CollectionIds"] == ["a", "b"] and "NextToken" not in answer


def test_a_page_begins_after_the_last_even_when_that_was_deleted_meanwhile(client):
    for name in "abcdef":
        client.create_collection(CollectionId=name)
    first = client.list_collections(MaxResults=3)
    client.delete_collection(CollectionId="c")
    client.delete_collection(CollectionId="d")
    client.create_collection(CollectionId="g")
    assert listed(client, NextToken=first["NextToken"]) == ["e", "f", "g"]


def test_a_token_is_good_for_its_own_listing_alone(client, new_engine, connect):
    for name in "abc":
        client.create_collection(CollectionId=name)
    token = client.list_collections(MaxResults=1)["NextToken"]
    assert len(token) <= 255
    stranger = connect(new_engine())
    forged = [
        (client, "list_collections", {"NextToken": token[:-1]}),
        (client, "list_collections", {"NextToken": token.swapcase()}),
        (client, "list_collections", {"NextToken": token + "AAAA"}),
        (client, "list_collections", {"NextToken": ""}),
        (client, "list_collections", {"NextToken": "é"}),
        (client, "list_collections", {"NextToken": "AAAA"}),
        (client, "list_faces", {"NextToken": token, "CollectionId": "a"}),
        (stranger, "list_collections", {"NextToken": token}),
    ]
    for asked, operation, parameters in forged:
        with pytest.raises(asked.exceptions.InvalidPaginationTokenException) as refused:
            getattr(asked, operation)(**parameters)
        assert refused.value.response["Error"]["Message"] == "Invalid Pagination Token"


def test_what_the_sdk_lets_through_is_refused_as_aws_refuses_it(client):
    for parameters in ({"CollectionId": "with space"}, {"CollectionId": "x" * 256}, {"CollectionId": "a/b"}):
        with pytest.raises(ClientError) as refused:
            client.create_collection(**parameters)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert "at 'collectionId' failed to satisfy constraint" in refused.value.response["Error"]["Message"]


def test_an_operation_that_needs_aws_says_so(client):
    with pytest.raises(
        client.exceptions.AccessDeniedException, match=r"DetectText.* needs Amazon Rekognition"
    ):
        client.detect_text(Image={"Bytes": b"x"})


def test_attaching_another_engine_replaces_the_first(new_engine, connect):
    from facesearch.engine.transports import attach

    first, second = new_engine(), new_engine()
    client = connect(first)
    client.create_collection(CollectionId="first")
    assert attach(client, second) is client
    assert listed(client) == []
    attach(client, first)
    assert listed(client) == ["first"]


def test_an_engine_in_memory_keeps_nothing_for_another(new_engine, connect):
    one, other = connect(new_engine()), connect(new_engine())
    one.create_collection(CollectionId="a")
    assert listed(one) == ["a"] and listed(other) == []


def test_a_closed_engine_answers_with_a_fault(new_engine, caplog):
    engine = new_engine()
    engine.close()
    response = engine.handle({"X-Amz-Target": "RekognitionService.ListCollections"}, b"")
    assert response.status == 500
    assert "the engine is closed" in caplog.text
    caplog.clear()


def test_the_recognizer_is_made_at_the_first_need_and_once(new_engine, connect, recognizer):
    made = []
    client = connect(new_engine(factory=lambda: made.append(1) or recognizer))
    listed(client)
    assert made == []
    client.create_collection(CollectionId="a")
    client.create_collection(CollectionId="b")
    assert made == [1]


def test_a_recognizer_that_cannot_be_made_is_asked_for_again(new_engine, recognizer, caplog):
    answers = [OSError("no weights"), recognizer]

    def factory():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    engine = new_engine(factory=factory)
    headers = {"X-Amz-Target": "RekognitionService.CreateCollection"}
    assert engine.handle(headers, b'{"CollectionId": "a"}').status == 500
    assert "no weights" in caplog.text
    caplog.clear()
    assert engine.handle(headers, b'{"CollectionId": "a"}').status == 200


def test_listing_collections_loads_no_vision(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from facesearch.engine.service import Engine
        engine = Engine(Path(sys.argv[1]), None)
        for target, body in [("ListCollections", b"{}"), ("DescribeCollection", b'{"CollectionId": "a"}')]:
            engine.handle({"X-Amz-Target": f"RekognitionService.{target}"}, body)
        engine.close()
        print(sorted({"numpy", "onnx", "onnxruntime", "PIL"} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "engine.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
