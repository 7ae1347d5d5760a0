"""Images that lie in S3, which is moto's: in the same process, and over HTTP as any S3 would be."""

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.server import ThreadedMotoServer

from facesearch import bootstrap
from facesearch.engine import s3
from facesearch.settings import Settings

UNREADABLE = "Unable to get object metadata from S3. Check object key, region and/or access permissions."


def named(name="eileen.jpg", bucket="photos", **more):
    return {"S3Object": {"Bucket": bucket, "Name": name, **more}}


def refused(client, image):
    """The code and the text of DetectFaces' refusal."""
    with pytest.raises(client.exceptions.ClientError) as raised:
        client.detect_faces(Image=image)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def boxes(answer):
    return [face["BoundingBox"] for face in answer["FaceDetails"]]


@pytest.fixture(scope="module")
def moto_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def bucket(moto_url, monkeypatch, credentials):
    """An S3 client of moto's server; the bucket `photos` is empty and keeps versions."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="photos")
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    yield client
    for version in client.list_object_versions(Bucket="photos").get("Versions", []):
        client.delete_object(Bucket="photos", Key=version["Key"], VersionId=version["VersionId"])
    client.delete_bucket(Bucket="photos")
    client.close()


@pytest.fixture
def seeing(new_engine, connect):
    """A client whose engine reads from S3 as the program's own engine does."""
    return connect(new_engine(s3=bootstrap._s3_client))


def test_every_operation_that_takes_an_image_takes_it_from_s3(bucket, seeing, photos):
    bucket.put_object(Bucket="photos", Key="eileen.jpg", Body=photos["eileen"])
    bucket.put_object(Bucket="photos", Key="a folder/grâce.jpg", Body=photos["grace"])
    inline = seeing.detect_faces(Image={"Bytes": photos["eileen"]})
    assert boxes(seeing.detect_faces(Image=named())) == boxes(inline)
    seeing.create_collection(CollectionId="staff")
    (stored,) = seeing.index_faces(CollectionId="staff", Image=named())["FaceRecords"]
    (again,) = seeing.index_faces(CollectionId="staff", Image={"Bytes": photos["eileen"]})["FaceRecords"]
    assert stored["Face"] == again["Face"]
    matches = seeing.search_faces_by_image(CollectionId="staff", Image=named())["FaceMatches"]
    assert [match["Face"]["FaceId"] for match in matches] == [stored["Face"]["FaceId"]]
    assert seeing.search_users_by_image(CollectionId="staff", Image=named())["SearchedFace"]
    assert seeing.detect_labels(Image=named("a folder/grâce.jpg"))["Labels"]
    compared = seeing.compare_faces(SourceImage=named(), TargetImage=named("a folder/grâce.jpg"))
    assert compared["FaceMatches"] == [] and len(compared["UnmatchedFaces"]) == 1


def test_a_version_is_the_one_that_is_named(bucket, seeing, photos):
    versions = [
        bucket.put_object(Bucket="photos", Key="eileen.jpg", Body=photos[name])["VersionId"]
        for name in ("nobody", "eileen")
    ]
    counts = [len(seeing.detect_faces(Image=named(Version=version))["FaceDetails"]) for version in versions]
    assert counts == [0, 1]
    assert len(seeing.detect_faces(Image=named())["FaceDetails"]) == 1
    assert refused(seeing, named(Version="nosuchversion")) == ("InvalidS3ObjectException", UNREADABLE)


@pytest.mark.parametrize(
    "image", [named("nowhere.jpg"), named(bucket="nobodys-bucket")], ids=["key", "bucket"]
)
def test_what_is_not_there_is_refused_in_the_words_of_rekognition(bucket, seeing, image):
    assert refused(seeing, image) == ("InvalidS3ObjectException", UNREADABLE)


def test_an_s3_object_without_a_name_or_a_bucket_is_refused(bucket, seeing):
    for place in ({"Bucket": "photos"}, {"Name": "eileen.jpg"}, {}):
        assert refused(seeing, {"S3Object": place}) == ("InvalidS3ObjectException", UNREADABLE)


def test_without_credentials_nothing_is_read(bucket, seeing, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert refused(seeing, named()) == ("InvalidS3ObjectException", UNREADABLE)


def test_an_endpoint_that_is_none_or_does_not_answer_is_refused(
    new_engine, connect, monkeypatch, credentials
):
    for endpoint in ("no endpoint", "http://127.0.0.1:9"):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        client = connect(new_engine(s3=bootstrap._s3_client))
        assert refused(client, named()) == ("InvalidS3ObjectException", UNREADABLE)


def test_an_object_over_fifteen_megabytes_is_refused_by_its_size_alone(bucket, new_engine, connect, photos):
    asked = []

    def watched():
        client = bootstrap._s3_client()
        client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
        return client

    client = connect(new_engine(s3=watched))
    padded = photos["eileen"] + bytes(s3.MAX_BYTES - len(photos["eileen"]))
    bucket.put_object(Bucket="photos", Key="most.jpg", Body=padded)
    bucket.put_object(Bucket="photos", Key="more.jpg", Body=padded + b"\0")
    assert len(client.detect_faces(Image=named("most.jpg"))["FaceDetails"]) == 1
    assert asked == ["HeadObject", "GetObject"]
    assert refused(client, named("more.jpg"))[0] == "ImageTooLargeException"
    assert asked == ["HeadObject", "GetObject", "HeadObject"]


def test_an_object_that_grows_between_the_question_and_the_reading_is_read_no_further(bucket, monkeypatch):
    monkeypatch.setattr(s3, "MAX_BYTES", 10)
    bucket.put_object(Bucket="photos", Key="grown", Body=b"x" * 10)
    client = bootstrap._s3_client()

    def grow(**_):
        bucket.put_object(Bucket="photos", Key="grown", Body=b"x" * 1000)

    client.meta.events.register("before-call.s3.GetObject", grow)
    with pytest.raises(s3.errors.RekognitionError, match="ImageTooLargeException"):
        s3.S3Objects(lambda: client).fetch({"Bucket": "photos", "Name": "grown"})


def test_a_busy_s3_is_worth_another_try(bucket, new_engine, connect):
    def busy():
        client = boto3.client("s3", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
        client.meta.events.register(
            "after-call.s3.HeadObject",
            lambda http_response, parsed, **_: (
                setattr(http_response, "status_code", 503),
                parsed.update(Error={"Code": "SlowDown", "Message": "Reduce your request rate."}),
            ),
        )
        return client

    bucket.put_object(Bucket="photos", Key="eileen.jpg", Body=b"x")
    client = connect(new_engine(s3=busy))
    assert refused(client, named()) == (
        "ProvisionedThroughputExceededException",
        "S3 download limit exceeded.",
    )


def test_the_way_to_s3_is_made_at_the_first_object_and_once(bucket, new_engine, connect, photos):
    made = []

    def factory():
        made.append(bootstrap._s3_client())
        return made[-1]

    client = connect(new_engine(s3=factory))
    client.detect_faces(Image={"Bytes": photos["nobody"]})
    assert made == []
    for _ in range(2):
        refused(client, named("nowhere.jpg"))
    assert len(made) == 1


def test_an_engine_without_a_way_to_s3_says_so(client):
    code, text = refused(client, named())
    assert code == "InvalidS3ObjectException" and "Send the image as Bytes" in text


def test_an_image_has_exactly_one_source(client, photos):
    for image in ({}, {"Bytes": photos["nobody"], **named()}):
        assert refused(client, image)[0] == "InvalidParameterException"


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_program_s_own_engine_reads_from_s3(jobs, bucket, photos):
    bucket.put_object(Bucket="photos", Key="eileen.jpg", Body=photos["eileen"])
    gateway, close = bootstrap.open_gateway(Settings.resolve({"engine": "embedded", "jobs": jobs}))
    try:
        assert len(gateway._client.detect_faces(Image=named())["FaceDetails"]) == 1
    finally:
        close()


def test_moto_s_s3_and_the_engine_s_rekognition_live_in_one_test(new_engine, connect, photos, credentials):
    with mock_aws():
        bucket = boto3.client("s3", region_name="us-east-1")
        bucket.create_bucket(Bucket="photos")
        bucket.put_object(Bucket="photos", Key="eileen.jpg", Body=photos["eileen"])
        client = connect(new_engine(s3=bootstrap._s3_client))
        client.create_collection(CollectionId="staff")
        assert len(client.index_faces(CollectionId="staff", Image=named())["FaceRecords"]) == 1
        assert refused(client, named("nowhere.jpg")) == ("InvalidS3ObjectException", UNREADABLE)
