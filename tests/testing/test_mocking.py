"""mock_rekognition: whom it answers, for how long, and that nobody else notices."""

import asyncio
import inspect
import socket
import unittest
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.session
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.session import Session
from botocore.stub import Stubber
from moto import mock_aws

from facesearch import FaceSearch
from facesearch.testing import mock_rekognition


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def nothing_stays_replaced():
    before = Session.create_client, BaseClient._make_api_call
    yield
    assert (Session.create_client, BaseClient._make_api_call) == before


@pytest.fixture
def no_credentials(monkeypatch):
    """botocore asks the network for credentials unless it is told not to."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def new_client(**options):
    return boto3.client("rekognition", **options)


def collections(client=None):
    return (client or new_client()).list_collections()["CollectionIds"]


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


# --- as a decorator


@mock_rekognition
def test_a_decorated_function_still_gets_its_fixtures(tmp_path, amara):
    assert tmp_path.is_dir() and len(amara) == 2
    assert collections() == []


@mock_rekognition()
def test_a_decorated_function_may_have_parameters_of_its_own(answer=42):
    assert answer == 42
    assert collections() == []


def test_each_call_of_a_decorated_function_starts_afresh():
    @mock_rekognition
    def run():
        new_client().create_collection(CollectionId="staff")

    run()
    run()


def test_a_coroutine_function_stays_one():
    @mock_rekognition()
    async def run():
        await asyncio.sleep(0)
        return collections()

    assert inspect.iscoroutinefunction(run)
    assert asyncio.run(run()) == []


@pytest.fixture
@mock_rekognition()
def client_of_a_fixture():
    client = new_client()
    client.create_collection(CollectionId="of-the-fixture")
    yield client
    assert collections(client) == ["of-the-fixture", "of-the-test"]


def test_a_decorated_fixture_answers_until_it_ends(client_of_a_fixture):
    client_of_a_fixture.create_collection(CollectionId="of-the-test")


def test_a_decorated_async_generator_answers_until_it_ends():
    @mock_rekognition()
    async def items():
        yield collections()
        yield collections()

    async def run():
        return [item async for item in items()]

    assert asyncio.run(run()) == [[], []]


@mock_rekognition
class TestOfAnyClass:
    helper = staticmethod(collections)

    def test_each_method_has_a_fresh_engine(self):
        new_client().create_collection(CollectionId="staff")

    def test_and_so_has_the_next(self):
        assert self.helper() == []


@mock_rekognition()
class UnitTests(unittest.TestCase):
    def setUp(self):
        self.client = new_client()
        self.client.create_collection(CollectionId="of-set-up")
        self.addCleanup(lambda: self.assertEqual(collections(self.client)[0], "of-set-up"))

    def tearDown(self):
        self.client.delete_collection(CollectionId="of-the-test")

    def test_set_up_test_tear_down_and_clean_ups_meet_one_engine(self):
        self.client.create_collection(CollectionId="of-the-test")
        self.assertEqual(collections(self.client), ["of-set-up", "of-the-test"])

    def test_the_next_test_meets_another(self):
        self.assertEqual(collections(self.client), ["of-set-up"])
        self.client.create_collection(CollectionId="of-the-test")


class MoreUnitTests(UnitTests):
    def test_a_subclass_inherits_the_mock(self):
        self.client.create_collection(CollectionId="of-the-test")


class AsyncUnitTests(unittest.IsolatedAsyncioTestCase):
    @mock_rekognition()
    async def test_a_method_may_be_a_coroutine(self):
        self.assertEqual(collections(), [])


def test_the_debugger_of_unittest_meets_the_mock_too():
    UnitTests("test_the_next_test_meets_another").debug()


# --- beside moto


@pytest.fixture(params=["moto outside", "moto inside"])
def both_mocks(request):
    first, second = (mock_aws(), mock_rekognition())
    if request.param == "moto inside":
        first, second = second, first
    with first, second:
        yield


def test_s3_is_motos_and_rekognition_the_engines(both_mocks, amara):
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="amara.jpg", Body=amara[0])
    client = new_client()
    client.create_collection(CollectionId="staff")
    photo = s3.get_object(Bucket="photos", Key="amara.jpg")["Body"].read()
    (record,) = client.index_faces(CollectionId="staff", Image={"Bytes": photo})["FaceRecords"]
    (match,) = client.search_faces_by_image(CollectionId="staff", Image={"Bytes": amara[1]})["FaceMatches"]
    assert match["Face"]["FaceId"] == record["Face"]["FaceId"]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="photos")["Contents"]] == ["amara.jpg"]


def test_an_image_may_lie_in_motos_s3(both_mocks, amara):
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="amara.jpg", Body=amara[0])
    client = new_client()
    client.create_collection(CollectionId="staff")
    image = {"S3Object": {"Bucket": "photos", "Name": "amara.jpg"}}
    assert len(client.index_faces(CollectionId="staff", Image=image)["FaceRecords"]) == 1
    with pytest.raises(client.exceptions.InvalidS3ObjectException):
        client.detect_faces(Image={"S3Object": {"Bucket": "photos", "Name": "nobody.jpg"}})


def test_an_operation_that_moto_knows_is_the_engines_too(both_mocks, amara):
    compared = new_client().compare_faces(SourceImage={"Bytes": amara[0]}, TargetImage={"Bytes": amara[1]})
    assert len(compared["FaceMatches"]) == 1
    assert "SourceImageOrientationCorrection" not in compared  # moto's constant answer has one


@mock_aws
@mock_rekognition
def test_both_may_decorate_one_test():
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="photos")
    assert collections() == []


def test_motos_own_rekognition_is_back_afterwards():
    with mock_aws():
        with mock_rekognition():
            assert collections() == []
        faces = new_client(region_name="us-east-1").compare_faces(
            SourceImage={"Bytes": b"any"}, TargetImage={"Bytes": b"any"}
        )
    assert faces["SourceImageOrientationCorrection"]
