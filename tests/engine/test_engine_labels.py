"""DetectLabels: what faces say of a picture, in the words of Rekognition's taxonomy."""

import io

import pytest
from PIL import Image


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def crowd(grace):
    """Twelve times the same face: enough for a crowd."""
    picture = Image.new("RGB", (800, 600), (120, 130, 140))
    face = grace.resize((200, 200))
    for number in range(12):
        picture.paste(face, (number % 4 * 200, number // 4 * 200))
    return png(picture)


def labels(client, data, **more):
    return {label["Name"]: label for label in client.detect_labels(Image={"Bytes": data}, **more)["Labels"]}


def test_a_face_that_fills_the_picture_makes_a_portrait(client, photos, recognizer):
    answer = client.detect_labels(Image={"Bytes": photos["eileen"]})
    assert answer["LabelModelVersion"] == f"faces-{recognizer.model_version}"
    found = {label["Name"]: label for label in answer["Labels"]}
    assert found.keys() == {"Face", "Head", "Person", "Portrait", "Photography"}
    seen = client.detect_faces(Image={"Bytes": photos["eileen"]})["FaceDetails"][0]
    for name in ("Face", "Head", "Person"):
        (instance,) = found[name]["Instances"]
        assert instance == {"BoundingBox": seen["BoundingBox"], "Confidence": seen["Confidence"]}
        assert found[name]["Categories"] == [{"Name": "Person Description"}]
    assert [parent["Name"] for parent in found["Face"]["Parents"]] == ["Head", "Person"]
    assert found["Person"]["Aliases"] == [{"Name": "Human"}] and found["Person"]["Parents"] == []
    assert found["Portrait"]["Instances"] == []


def test_every_ancestor_of_a_label_is_a_label_too(client, photos, crowd):
    for data in (photos["grace"], photos["both"], crowd):
        found = labels(client, data)
        for label in found.values():
            assert {parent["Name"] for parent in label["Parents"]} <= found.keys()


def test_a_small_face_is_no_portrait(client, grace):
    picture = Image.new("RGB", (900, 900), (120, 130, 140))
    picture.paste(grace.resize((200, 200)), (300, 300))
    assert labels(client, png(picture)).keys() == {"Face", "Head", "Person"}


def test_two_are_people_and_a_dozen_are_a_crowd(client, photos, crowd):
    assert labels(client, photos["both"]).keys() == {"Face", "Head", "Person", "People"}
    found = labels(client, crowd)
    assert found.keys() == {"Face", "Head", "Person", "People", "Crowd"}
    assert len(found["Person"]["Instances"]) == 12
    assert found["Crowd"]["Confidence"] <= found["People"]["Confidence"] <= found["Person"]["Confidence"]


def test_a_picture_of_nobody_has_no_labels(client, photos):
    assert labels(client, photos["nobody"]) == {}


def test_the_surest_come_first_and_no_more_than_asked_for(client, crowd):
    every = client.detect_labels(Image={"Bytes": crowd})["Labels"]
    confidences = [label["Confidence"] for label in every]
    assert confidences == sorted(confidences, reverse=True)
    assert client.detect_labels(Image={"Bytes": crowd}, MaxLabels=2)["Labels"] == every[:2]


def test_what_is_less_sure_than_asked_for_is_left_out(client, photos):
    (face,) = client.detect_faces(Image={"Bytes": photos["grace"]})["FaceDetails"]
    assert labels(client, photos["grace"], MinConfidence=face["Confidence"])
    if face["Confidence"] < 100:
        assert labels(client, photos["grace"], MinConfidence=100) == {}


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"LabelInclusionFilters": ["Face", "Dog"]}, {"Face"}),
        ({"LabelExclusionFilters": ["Face"]}, {"Head", "Person", "Portrait", "Photography"}),
        ({"LabelCategoryInclusionFilters": ["Hobbies and Interests"]}, {"Portrait", "Photography"}),
        ({"LabelCategoryExclusionFilters": ["Hobbies and Interests"]}, {"Face", "Head", "Person"}),
        ({"LabelInclusionFilters": ["Face"], "LabelExclusionFilters": ["Face"]}, set()),
        (
            {
                "LabelInclusionFilters": ["Portrait"],
                "LabelCategoryInclusionFilters": ["Person Description"],
                "LabelExclusionFilters": ["Head"],
            },
            {"Face", "Person", "Portrait"},
        ),
    ],
)
def test_labels_are_filtered_by_name_and_by_category(client, photos, filters, left):
    assert labels(client, photos["eileen"], Settings={"GeneralLabels": filters}).keys() == left


def test_the_colours_of_a_picture_need_aws(client, photos):
    with pytest.raises(client.exceptions.InvalidParameterException, match="IMAGE_PROPERTIES is not part of"):
        labels(client, photos["eileen"], Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"])
    assert labels(client, photos["eileen"], Features=["GENERAL_LABELS"])
