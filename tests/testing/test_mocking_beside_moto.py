"""mock_rekognition beside moto: each answers for its own services."""

import boto3
import pytest
from moto import mock_aws

from facesearch.testing import mock_rekognition

from .conftest import collections, new_client

pytestmark = pytest.mark.usefixtures("no_network", "nothing_stays_replaced")


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
