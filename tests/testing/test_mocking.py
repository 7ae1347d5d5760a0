"""mock_rekognition: whom it answers, for how long, and that nobody else notices."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.session import Session
from botocore.stub import Stubber

from facesearch import FaceSearch
from facesearch.testing import mock_rekognition

from .conftest import collections, new_client

pytestmark = pytest.mark.usefixtures("no_network", "nothing_stays_replaced")


def test_a_person_is_found_again_by_another_photo(amara):
    enrolled, visitor = amara
    with mock_rekognition():
        client = new_client()
        client.create_collection(CollectionId="staff")
        client.index_faces(CollectionId="staff", Image={"Bytes": enrolled}, ExternalImageId="amara")
        (match,) = client.search_faces_by_image(CollectionId="staff", Image={"Bytes": visitor})["FaceMatches"]
    assert match["Face"]["ExternalImageId"] == "amara"
    assert match["Similarity"] > 90


@pytest.mark.parametrize(
    "make",
    [
        lambda: boto3.client("rekognition"),
        lambda: boto3.Session().client("rekognition"),
        lambda: boto3.Session(region_name="eu-west-1").client("rekognition"),
        lambda: botocore.session.get_session().create_client("rekognition"),
        lambda: botocore.session.Session().create_client("rekognition", "ap-south-1"),
        lambda: boto3.client("rekognition", endpoint_url="http://localhost:4566"),
        lambda: boto3.client("rekognition", config=Config(region_name="eu-central-1")),
        lambda: boto3.client("rekognition", aws_access_key_id="one's", aws_secret_access_key="own"),
    ],
)
def test_every_client_is_answered_however_it_is_made(make):
    with mock_rekognition():
        client = make()
        client.create_collection(CollectionId="staff")
        assert collections(client) == ["staff"]


def test_a_region_that_is_named_stays_and_is_in_the_arn():
    with mock_rekognition():
        for client, region in [
            (new_client(), "us-east-1"),
            (new_client(region_name="eu-west-1"), "eu-west-1"),
            (new_client(config=Config(region_name="eu-central-1")), "eu-central-1"),
        ]:
            assert client.meta.region_name == region
            arn = client.create_collection(CollectionId="staff")["CollectionArn"]
            assert f":{region}:" in arn


def test_a_region_of_the_environment_is_heeded(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    with mock_rekognition():
        assert boto3.Session().client("rekognition").meta.region_name == "sa-east-1"


def test_regions_have_collections_of_their_own():
    with mock_rekognition():
        new_client(region_name="eu-west-1").create_collection(CollectionId="staff")
        assert collections(new_client(region_name="eu-west-1")) == ["staff"]
        assert collections(new_client(region_name="us-east-1")) == []


def test_two_mocks_never_share_collections():
    mock = mock_rekognition()
    for _ in range(2):
        with mock:
            new_client().create_collection(CollectionId="staff")
            assert collections() == ["staff"]


def test_the_inner_mock_answers_and_then_the_outer_one_again():
    outer = mock_rekognition()
    with outer:
        client = new_client()
        client.create_collection(CollectionId="outer")
        with mock_rekognition():
            assert collections(client) == collections() == []
            with outer:  # the same object, a fresh engine
                client.create_collection(CollectionId="innermost")
            assert collections(client) == []
        assert collections(client) == ["outer"]


def test_a_client_that_was_made_before_is_answered_and_given_back(no_credentials):
    client = new_client(region_name="us-east-1")
    for _ in range(2):
        with mock_rekognition():
            client.create_collection(CollectionId="staff")
            assert collections(client) == ["staff"]
    with pytest.raises(NoCredentialsError):  # as ever: botocore signs for AWS again
        client.list_collections()


def test_a_client_that_is_kept_works_in_the_next_mock_and_never_asks_aws_in_between():
    with mock_rekognition():
        client = new_client()
    with pytest.raises(RuntimeError, match="mock_rekognition"):
        client.list_collections()
    with mock_rekognition():
        assert collections(client) == []


def test_a_client_of_the_embedded_engine_keeps_its_engine():
    with FaceSearch.open() as before, FaceSearch.open() as inside:
        before.create_collection("of-the-file")
        with mock_rekognition():
            assert [each.collection_id for each in before.collections()] == ["of-the-file"]
            assert [each.collection_id for each in inside.collections()] == ["of-the-file"]


def test_facesearch_on_aws_is_answered_by_the_mock():
    with mock_rekognition(), FaceSearch.open(engine="aws") as fs:
        fs.create_collection("staff")
        assert collections() == ["staff"]


def test_a_stubbed_client_keeps_its_stubs():
    with mock_rekognition():
        client = new_client()
        with Stubber(client) as stubber:
            stubber.add_response("list_collections", {"CollectionIds": ["stubbed"]})
            assert collections(client) == ["stubbed"]
        assert collections(client) == []


def test_other_services_are_left_alone(no_credentials):
    with mock_rekognition(), pytest.raises(NoCredentialsError):
        boto3.client("s3", region_name="us-east-1").list_buckets()


def test_an_error_is_botocores_own_modelled_exception():
    with mock_rekognition():
        client = new_client()
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.describe_collection(CollectionId="nobody")


def test_an_exception_ends_the_mock_as_well(no_credentials):
    with pytest.raises(ZeroDivisionError), mock_rekognition():
        1 / 0  # noqa: B018
    with pytest.raises(NoRegionError):
        new_client()


def test_what_others_replaced_meanwhile_is_not_undone():
    original = Session.create_client
    mock = mock_rekognition()
    mock.__enter__()
    ours = Session.create_client

    def theirs(*args, **kwargs):
        return ours(*args, **kwargs)

    Session.create_client = theirs
    mock.__exit__(None, None, None)
    assert Session.create_client is theirs
    with mock_rekognition():
        assert collections() == []
    Session.create_client = original


# --- threads and tasks


def test_threads_of_a_test_share_its_engine():
    with mock_rekognition(), ThreadPoolExecutor(4) as pool:
        client = new_client()
        list(pool.map(lambda n: client.create_collection(CollectionId=f"c{n}"), range(20)))
        assert list(pool.map(lambda _: len(collections(client)), range(4))) == [20] * 4


def test_threads_that_start_mocks_of_their_own_do_not_meet():
    @mock_rekognition()
    def seen(number):
        client = new_client()
        client.create_collection(CollectionId=f"c{number}")
        return collections(client)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(seen, range(20))) == [[f"c{n}"] for n in range(20)]


def test_tasks_that_start_mocks_of_their_own_do_not_meet():
    @mock_rekognition()
    async def seen(number):
        client = new_client()
        client.create_collection(CollectionId=f"c{number}")
        await asyncio.sleep(0.001)
        return collections(client)

    async def everything():
        return await asyncio.gather(*map(seen, range(5)))

    assert asyncio.run(everything()) == [[f"c{n}"] for n in range(5)]
