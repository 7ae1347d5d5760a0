"""Faces of a collection, through boto3 and the real networks: indexed, listed, deleted."""

import io
import uuid

import pytest
from PIL import Image, ImageFilter

from facesearch.engine.storage import NewFace

UNKNOWN = "0b8f2c9e-4d2a-4b7e-9c1d-3e5f7a9b1c2d"


@pytest.fixture
def staff(client):
    client.create_collection(CollectionId="staff")
    return client


def index(client, photo, **options):
    return client.index_faces(CollectionId="staff", Image={"Bytes": photo}, **options)


def ids(answer):
    return [record["Face"]["FaceId"] for record in answer["FaceRecords"]]


def listed(client, **options):
    return [face["FaceId"] for face in client.list_faces(CollectionId="staff", **options)["Faces"]]


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def test_a_face_is_stored_with_all_that_was_seen_of_it(staff, photos, recognizer):
    answer = index(staff, photos["eileen"], ExternalImageId="people:eileen.1")
    (record,) = answer["FaceRecords"]
    face, detail = record["Face"], record["FaceDetail"]
    assert answer["UnindexedFaces"] == []
    assert answer["FaceModelVersion"] == face["IndexFacesModelVersion"] == recognizer.model_version
    assert face["ExternalImageId"] == "people:eileen.1"
    assert uuid.UUID(face["FaceId"]).version == 4 and uuid.UUID(face["ImageId"]).version == 5
    assert "UserId" not in face and "OrientationCorrection" not in answer
    assert face["BoundingBox"] == pytest.approx(detail["BoundingBox"])
    assert face["Confidence"] == detail["Confidence"] > 99
    assert set(detail) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    box = detail["BoundingBox"]
    landmarks = {mark["Type"]: (mark["X"], mark["Y"]) for mark in detail["Landmarks"]}
    assert list(landmarks) == ["eyeLeft", "eyeRight", "nose"]
    for x, y in landmarks.values():
        assert box["Left"] < x < box["Left"] + box["Width"]
        assert box["Top"] < y < box["Top"] + box["Height"]
    assert landmarks["eyeLeft"][0] < landmarks["nose"][0] < landmarks["eyeRight"][0]
    assert landmarks["nose"][1] > max(landmarks["eyeLeft"][1], landmarks["eyeRight"][1])
    assert staff.list_faces(CollectionId="staff")["Faces"] == [face]
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 1


def test_all_attributes_add_the_corners_of_the_eyes_and_nothing_invented(staff, photos):
    (record,) = index(staff, photos["eileen"], DetectionAttributes=["ALL"])["FaceRecords"]
    detail = record["FaceDetail"]
    assert set(detail) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    x = {mark["Type"]: mark["X"] for mark in detail["Landmarks"]}
    assert (
        x["leftEyeLeft"]
        < x["eyeLeft"]
        < x["leftEyeRight"]
        < x["rightEyeLeft"]
        < x["eyeRight"]
        < x["rightEyeRight"]
    )


def test_the_same_image_under_the_same_external_id_gives_the_same_faces_again(staff, photos):
    first = index(staff, photos["both"], ExternalImageId="x")
    again = index(staff, photos["both"], ExternalImageId="x")
    assert again["FaceRecords"] == first["FaceRecords"]
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 2


def test_another_external_id_or_another_collection_makes_faces_of_their_own(staff, photos):
    staff.create_collection(CollectionId="other")
    answers = [
        index(staff, photos["eileen"], ExternalImageId="x"),
        index(staff, photos["eileen"], ExternalImageId="y"),
        index(staff, photos["eileen"]),
        staff.index_faces(CollectionId="other", Image={"Bytes": photos["eileen"]}, ExternalImageId="x"),
    ]
    assert len({face for answer in answers for face in ids(answer)}) == 4
    assert len({answer["FaceRecords"][0]["Face"]["ImageId"] for answer in answers}) == 1
    assert "ExternalImageId" not in answers[2]["FaceRecords"][0]["Face"]


def test_faces_come_largest_first(staff, photos):
    boxes = [record["Face"]["BoundingBox"] for record in index(staff, photos["both"])["FaceRecords"]]
    assert len(boxes) == 2
    assert boxes[0]["Width"] * boxes[0]["Height"] > boxes[1]["Width"] * boxes[1]["Height"]
    assert boxes[0]["Left"] < boxes[1]["Left"]


def test_faces_beyond_the_number_asked_for_are_told_and_not_stored(staff, photos):
    answer = index(staff, photos["both"], MaxFaces=1, ExternalImageId="x")
    (record,), (left_out,) = answer["FaceRecords"], answer["UnindexedFaces"]
    assert left_out["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert left_out["FaceDetail"]["BoundingBox"]["Left"] > record["Face"]["BoundingBox"]["Left"]
    assert listed(staff) == ids(answer)
    both = index(staff, photos["both"], ExternalImageId="x")
    assert ids(both)[0] == ids(answer)[0] and len(listed(staff)) == 2


def test_more_faces_may_be_asked_for_than_there_can_be(staff, photos):
    assert len(ids(index(staff, photos["both"], MaxFaces=100_000))) == 2


def test_a_picture_of_nobody_is_no_error(staff, photos):
    answer = index(staff, photos["nobody"])
    assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 0


def test_a_quality_filter_leaves_out_what_it_says_and_says_why(staff, eileen):
    blurred = jpeg(eileen.filter(ImageFilter.GaussianBlur(3)))
    dark = jpeg(eileen.point(lambda value: value // 6))
    assert len(ids(index(staff, blurred, QualityFilter="NONE"))) == 1
    for photo, reason in ((blurred, "LOW_SHARPNESS"), (dark, "LOW_BRIGHTNESS")):
        answer = index(staff, photo, QualityFilter="HIGH", ExternalImageId="filtered")
        assert answer["FaceRecords"] == []
        assert reason in answer["UnindexedFaces"][0]["Reasons"]


def test_the_default_filter_is_auto(staff, grace):
    buffer = io.BytesIO()
    grace.filter(ImageFilter.GaussianBlur(10)).save(buffer, "PNG")  # a JPEG's blocks would be edges again
    photo = buffer.getvalue()
    default, auto = index(staff, photo), index(staff, photo, QualityFilter="AUTO")
    assert default["UnindexedFaces"] == auto["UnindexedFaces"] != []
    assert listed(staff) == []


def test_a_face_turned_by_exif_is_the_face_upright(staff, eileen):
    turned = Image.Exif()
    turned[0x0112] = 6
    buffer = io.BytesIO()
    eileen.rotate(90, expand=True).save(buffer, "JPEG", quality=92, exif=turned)
    upright = index(staff, jpeg(eileen))["FaceRecords"][0]["Face"]["BoundingBox"]
    box = index(staff, buffer.getvalue())["FaceRecords"][0]["Face"]["BoundingBox"]
    assert box == pytest.approx(upright, abs=0.03)


@pytest.mark.parametrize("photo", [b"x", b"GIF89a", b"\xff\xd8\xff\xe0" + bytes(200)])
def test_what_is_no_image_is_refused(staff, photo):
    with pytest.raises(staff.exceptions.InvalidImageFormatException) as refused:
        index(staff, photo)
    assert refused.value.response["Error"]["Message"] == "Request has invalid image format"


def test_images_of_impossible_sizes_are_refused(staff):
    with pytest.raises(staff.exceptions.InvalidParameterException, match="Request has Invalid Parameters"):
        index(staff, jpeg(Image.new("RGB", (79, 400))))
    with pytest.raises(staff.exceptions.ImageTooLargeException, match="10001 x 90 exceed"):
        index(staff, jpeg(Image.new("RGB", (10_001, 90))))


def test_an_image_in_s3_is_refused_in_words(staff):
    with pytest.raises(staff.exceptions.InvalidS3ObjectException, match="Send the image as Bytes"):
        staff.index_faces(CollectionId="staff", Image={"S3Object": {"Bucket": "bucket", "Name": "a.jpg"}})
    for image in ({}, {"Bytes": b"x", "S3Object": {"Bucket": "bucket", "Name": "a.jpg"}}):
        with pytest.raises(staff.exceptions.InvalidParameterException):
            staff.index_faces(CollectionId="staff", Image=image)


@pytest.fixture
def many(staff, engine):
    """A collection of 2,500 faces, made without pictures; their ids in the order of storing."""
    faces = [NewFace(number, 0.0, 0.5, 0.5, 99.0, bytes(512)) for number in range(2500)]
    version = staff.describe_collection(CollectionId="staff")["FaceModelVersion"]
    return [face.face_id for face in engine._store.add_faces("staff", version, UNKNOWN, None, faces)]


def test_the_paginator_lists_every_face_once_in_the_order_of_storing(staff, many):
    pages = list(
        staff.get_paginator("list_faces").paginate(CollectionId="staff", PaginationConfig={"PageSize": 700})
    )
    assert [len(page["Faces"]) for page in pages] == [700, 700, 700, 400]
    assert [face["FaceId"] for page in pages for face in page["Faces"]] == many


def test_a_page_holds_a_thousand_faces_unless_more_are_asked_for(staff, many):
    assert len(listed(staff)) == len(listed(staff, MaxResults=0)) == 1000
    assert listed(staff, MaxResults=4096) == many


def test_deleting_between_pages_neither_skips_nor_repeats(staff, many):
    first = staff.list_faces(CollectionId="staff", MaxResults=1000)
    staff.delete_faces(CollectionId="staff", FaceIds=many[900:1100])
    rest = listed(staff, MaxResults=4096, NextToken=first["NextToken"])
    assert rest == many[1100:]


def test_a_token_is_good_for_its_own_collection_alone(staff, many):
    token = staff.list_faces(CollectionId="staff", MaxResults=1)["NextToken"]
    staff.create_collection(CollectionId="other")
    with pytest.raises(staff.exceptions.InvalidPaginationTokenException):
        staff.list_faces(CollectionId="other", NextToken=token)
    staff.delete_collection(CollectionId="staff")
    staff.create_collection(CollectionId="staff")
    with pytest.raises(staff.exceptions.InvalidPaginationTokenException):
        staff.list_faces(CollectionId="staff", NextToken=token)


def test_faces_are_listed_by_id_when_asked(staff, many):
    assert listed(staff, FaceIds=[many[9], UNKNOWN, many[3], many[3]]) == [many[3], many[9]]
    assert listed(staff, FaceIds=[UNKNOWN]) == []
    page = staff.list_faces(CollectionId="staff", FaceIds=many[:5], MaxResults=3)
    assert listed(staff, FaceIds=many[:5], NextToken=page["NextToken"]) == many[3:5]


def test_a_user_that_does_not_exist_is_not_found(staff):
    with pytest.raises(
        staff.exceptions.ResourceNotFoundException, match="The user id: nobody does not exist"
    ):
        staff.list_faces(CollectionId="staff", UserId="nobody")


def test_deleting_tells_what_went_and_what_was_not_there(staff, many):
    answer = staff.delete_faces(CollectionId="staff", FaceIds=[many[1], UNKNOWN, many[0], many[1]])
    assert answer["DeletedFaces"] == [many[1], many[0]]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]}]
    again = staff.delete_faces(CollectionId="staff", FaceIds=[many[0]])
    assert again["DeletedFaces"] == []
    assert [refused["FaceId"] for refused in again["UnsuccessfulFaceDeletions"]] == [many[0]]
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 2498


def test_as_many_faces_are_deleted_at_once_as_the_model_allows(staff, many):
    answer = staff.delete_faces(CollectionId="staff", FaceIds=[*many, *([UNKNOWN] * (4096 - len(many)))])
    assert answer["DeletedFaces"] == many
    assert len(answer["UnsuccessfulFaceDeletions"]) == 1


def test_a_deleted_face_may_be_indexed_again_as_a_new_one(staff, photos):
    (first,) = ids(index(staff, photos["eileen"], ExternalImageId="x"))
    staff.delete_faces(CollectionId="staff", FaceIds=[first])
    (second,) = ids(index(staff, photos["eileen"], ExternalImageId="x"))
    assert second != first and listed(staff) == [second]
