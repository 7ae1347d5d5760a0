"""Searching and comparing, through boto3 and the real networks."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from facesearch.engine.storage import NewFace

UNKNOWN = "0b8f2c9e-4d2a-4b7e-9c1d-3e5f7a9b1c2d"


@pytest.fixture
def staff(client, photos):
    """A collection that knows both women by one photo each."""
    client.create_collection(CollectionId="staff")
    for name in ("eileen", "grace"):
        client.index_faces(CollectionId="staff", Image={"Bytes": photos[name]}, ExternalImageId=name)
    return client


def search(client, photo, **options):
    return client.search_faces_by_image(CollectionId="staff", Image={"Bytes": photo}, **options)


def names(answer):
    return [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]


def face_id(client, name):
    faces = client.list_faces(CollectionId="staff")["Faces"]
    return next(face["FaceId"] for face in faces if face["ExternalImageId"] == name)


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["eileen", "grace"])
def test_a_person_is_found_by_another_picture_and_nobody_else_is(staff, photos, name, recognizer):
    answer = search(staff, photos[f"{name} again"])
    assert names(answer) == [name]
    assert answer["FaceMatches"][0]["Similarity"] > 95
    assert answer["SearchedFaceConfidence"] > 99
    assert 0 < answer["SearchedFaceBoundingBox"]["Width"] < 1
    assert answer["FaceModelVersion"] == recognizer.model_version


def test_a_match_is_the_face_as_it_is_listed(staff, photos):
    match = search(staff, photos["grace again"])["FaceMatches"][0]["Face"]
    assert match in staff.list_faces(CollectionId="staff")["Faces"]


def test_the_very_same_picture_is_as_similar_as_can_be(staff, photos):
    assert search(staff, photos["grace"])["FaceMatches"][0]["Similarity"] > 99.999


def test_only_the_largest_face_of_a_picture_is_searched(staff, photos):
    assert names(search(staff, photos["both"])) == ["grace"]


def test_the_threshold_is_eighty_unless_another_is_given(staff, photos):
    everyone = search(staff, photos["eileen again"], FaceMatchThreshold=0)["FaceMatches"]
    similarities = [match["Similarity"] for match in everyone]
    assert similarities == sorted(similarities, reverse=True)
    assert len(everyone) == 2 and similarities[1] < 80 < similarities[0]
    assert names(search(staff, photos["eileen again"], FaceMatchThreshold=similarities[0])) == ["eileen"]
    assert names(search(staff, photos["eileen again"], FaceMatchThreshold=100)) == []


def test_no_more_matches_come_than_were_asked_for(staff, photos):
    assert names(search(staff, photos["grace again"], FaceMatchThreshold=0, MaxFaces=1)) == ["grace"]


def test_a_picture_of_nobody_cannot_be_searched_for(staff, photos):
    with pytest.raises(staff.exceptions.InvalidParameterException) as refused:
        search(staff, photos["nobody"])
    message = "There are no faces in the image. Should be at least 1."
    assert refused.value.response["Error"]["Message"] == message


def test_a_quality_filter_of_a_search_can_leave_no_face(staff, grace):
    dark = jpeg(grace.point(lambda value: value // 6))
    search(staff, dark)
    with pytest.raises(staff.exceptions.InvalidParameterException, match="There are no faces in the image"):
        search(staff, dark, QualityFilter="HIGH")


def test_an_empty_collection_has_no_match(client, photos):
    client.create_collection(CollectionId="staff")
    assert names(search(client, photos["grace"])) == []


def test_a_face_of_the_collection_finds_the_others_like_it_and_not_itself(staff, photos):
    staff.index_faces(CollectionId="staff", Image={"Bytes": photos["eileen again"]}, ExternalImageId="again")
    eileen = face_id(staff, "eileen")
    answer = staff.search_faces(CollectionId="staff", FaceId=eileen)
    assert answer["SearchedFaceId"] == eileen
    assert names(answer) == ["again"]
    everyone = staff.search_faces(CollectionId="staff", FaceId=eileen, FaceMatchThreshold=0)
    assert names(everyone) == ["again", "grace"]
    one = staff.search_faces(CollectionId="staff", FaceId=eileen, FaceMatchThreshold=0, MaxFaces=1)
    assert names(one) == ["again"]


def test_twins_of_a_face_are_matches_though_it_is_none_itself(staff, engine, photos):
    """With several faces of the very same vector, the one asked for need not come first among them."""
    for twin in ("a", "b", "c"):
        staff.index_faces(CollectionId="staff", Image={"Bytes": photos["grace"]}, ExternalImageId=twin)
    answer = staff.search_faces(CollectionId="staff", FaceId=face_id(staff, "b"), MaxFaces=3)
    assert names(answer) == ["grace", "a", "c"]


def test_a_face_that_is_not_there_cannot_be_searched_for(staff):
    with pytest.raises(staff.exceptions.InvalidParameterException) as refused:
        staff.search_faces(CollectionId="staff", FaceId=UNKNOWN)
    assert refused.value.response["Error"]["Message"] == "faceId was not found in the collection."


def test_a_face_is_found_at_once_after_it_is_stored_and_never_after_it_is_deleted(staff, photos):
    answer = staff.index_faces(
        CollectionId="staff", Image={"Bytes": photos["eileen again"]}, ExternalImageId="again"
    )
    assert names(search(staff, photos["eileen again"])) == ["again", "eileen"]
    staff.delete_faces(CollectionId="staff", FaceIds=[answer["FaceRecords"][0]["Face"]["FaceId"]])
    assert names(search(staff, photos["eileen again"])) == ["eileen"]
    staff.delete_collection(CollectionId="staff")
    staff.create_collection(CollectionId="staff")
    assert names(search(staff, photos["eileen again"], FaceMatchThreshold=0)) == []


def test_as_many_matches_come_as_the_model_allows(staff, engine, photos):
    found = engine._store.vector(1, face_id(staff, "grace"))
    faces = [NewFace(number, 0.0, 0.5, 0.5, 99.0, found[1]) for number in range(5000)]
    version = staff.describe_collection(CollectionId="staff")["FaceModelVersion"]
    engine._store.add_faces("staff", version, UNKNOWN, "many", faces)
    assert len(names(search(staff, photos["grace"]))) == 4096
    assert len(names(search(staff, photos["grace"], MaxFaces=4096))) == 4096
    assert len(names(staff.search_faces(CollectionId="staff", FaceId=face_id(staff, "grace")))) == 4096


class Relabelled:
    """The real recognizer under another version."""

    def __init__(self, recognizer, model_version):
        self._recognizer = recognizer
        self.model_version = model_version
        self.dimensions = recognizer.dimensions
        self.scale = recognizer.scale
        self.detect = recognizer.detect
        self.embed = recognizer.embed


def test_vectors_of_two_models_never_meet(staff, new_engine, connect, photos, recognizer, tmp_path):
    newer = connect(new_engine(tmp_path / "engine.db", lambda: Relabelled(recognizer, "99.0")))
    asked = [
        lambda: newer.index_faces(CollectionId="staff", Image={"Bytes": photos["grace"]}),
        lambda: search(newer, photos["grace"]),
        lambda: newer.search_faces(CollectionId="staff", FaceId=face_id(newer, "grace")),
    ]
    for ask in asked:
        with pytest.raises(newer.exceptions.InvalidParameterException, match=r"this engine runs 99\.0"):
            ask()
    assert len(newer.list_faces(CollectionId="staff")["Faces"]) == 2
    newer.create_collection(CollectionId="new")
    assert newer.list_collections()["FaceModelVersions"] == [recognizer.model_version, "99.0"]


def test_threads_index_search_and_delete_on_one_client(staff, photos):
    def work(number):
        if number % 3 == 0:
            answer = staff.index_faces(
                CollectionId="staff", Image={"Bytes": photos["eileen again"]}, ExternalImageId=f"t{number}"
            )
            deleted = [record["Face"]["FaceId"] for record in answer["FaceRecords"]]
            assert staff.delete_faces(CollectionId="staff", FaceIds=deleted)["DeletedFaces"] == deleted
        else:
            assert "grace" in names(search(staff, photos["grace again"]))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(18)))
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 2


# --- without a collection ---


def test_faces_are_detected_largest_first_with_all_that_can_be_computed(client, photos):
    details = client.detect_faces(Image={"Bytes": photos["both"]})["FaceDetails"]
    areas = [detail["BoundingBox"]["Width"] * detail["BoundingBox"]["Height"] for detail in details]
    assert len(areas) == 2 and areas[0] > areas[1]
    for detail in details:
        assert set(detail) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
        assert abs(detail["Pose"]["Roll"]) < 45
        assert 0 <= detail["Quality"]["Brightness"] <= 100 and 0 <= detail["Quality"]["Sharpness"] <= 100


def test_attributes_may_be_named_and_what_cannot_be_seen_is_left_out(client, photos):
    plain = client.detect_faces(Image={"Bytes": photos["grace"]})["FaceDetails"]
    assert client.detect_faces(Image={"Bytes": photos["grace"]}, Attributes=["SMILE"])["FaceDetails"] == plain
    (detail,) = client.detect_faces(Image={"Bytes": photos["grace"]}, Attributes=["ALL", "DEFAULT"])[
        "FaceDetails"
    ]
    assert len(detail["Landmarks"]) == 7


def test_no_face_is_detected_where_there_is_none(client, photos):
    assert client.detect_faces(Image={"Bytes": photos["nobody"]})["FaceDetails"] == []


def test_the_largest_face_of_one_picture_is_compared_with_every_face_of_another(client, photos):
    answer = client.compare_faces(
        SourceImage={"Bytes": photos["eileen again"]}, TargetImage={"Bytes": photos["both"]}
    )
    (match,), (other,) = answer["FaceMatches"], answer["UnmatchedFaces"]
    assert match["Similarity"] > 80
    assert match["Face"]["BoundingBox"]["Left"] > other["BoundingBox"]["Left"]
    assert set(match["Face"]) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert set(answer["SourceImageFace"]) == {"BoundingBox", "Confidence"}


def test_compared_faces_come_best_first_down_to_the_threshold(client, photos):
    everyone = client.compare_faces(
        SourceImage={"Bytes": photos["grace"]}, TargetImage={"Bytes": photos["both"]}, SimilarityThreshold=0
    )
    similarities = [match["Similarity"] for match in everyone["FaceMatches"]]
    assert len(similarities) == 2 and similarities == sorted(similarities, reverse=True)
    assert everyone["UnmatchedFaces"] == []
    nobody = client.compare_faces(
        SourceImage={"Bytes": photos["grace"]}, TargetImage={"Bytes": photos["both"]}, SimilarityThreshold=100
    )
    assert nobody["FaceMatches"] == [] and len(nobody["UnmatchedFaces"]) == 2


@pytest.mark.parametrize(("source", "target"), [("nobody", "grace"), ("grace", "nobody")])
def test_comparing_needs_a_face_on_both_sides(client, photos, source, target):
    with pytest.raises(client.exceptions.InvalidParameterException, match="Request has invalid parameters"):
        client.compare_faces(SourceImage={"Bytes": photos[source]}, TargetImage={"Bytes": photos[target]})


def test_a_comparison_leaves_out_faces_below_the_quality_asked_for(client, photos, eileen, grace):
    dim = Image.new("RGB", (620, 300))
    dim.paste(grace.point(lambda value: value // 6), (0, 0))
    dim.paste(eileen, (300, 0))
    images = {"SourceImage": {"Bytes": photos["eileen"]}, "TargetImage": {"Bytes": jpeg(dim)}}
    plain = client.compare_faces(**images)
    strict = client.compare_faces(**images, QualityFilter="MEDIUM")
    assert len(plain["FaceMatches"]) == len(strict["FaceMatches"]) == 1
    assert (len(plain["UnmatchedFaces"]), len(strict["UnmatchedFaces"])) == (1, 0)
