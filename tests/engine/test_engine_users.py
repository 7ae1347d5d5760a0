"""Users, through boto3: created, given faces and relieved of them, listed, searched for, deleted."""

import io

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from facesearch.engine.storage import NewFace

UNKNOWN = "00000000-0000-0000-0000-000000000000"


def index(client, data, external=None, collection="staff"):
    more = {"ExternalImageId": external} if external else {}
    records = client.index_faces(CollectionId=collection, Image={"Bytes": data}, **more)["FaceRecords"]
    return [record["Face"]["FaceId"] for record in records]


def associate(client, user, faces, **more):
    return client.associate_faces(CollectionId="staff", UserId=user, FaceIds=faces, **more)


def users(client):
    return [(user["UserId"], user["UserStatus"]) for user in client.list_users(CollectionId="staff")["Users"]]


def found(answer):
    return [match["User"]["UserId"] for match in answer["UserMatches"]]


@pytest.fixture
def staff(client):
    client.create_collection(CollectionId="staff")
    return client


@pytest.fixture
def faces(staff, photos):
    """FaceIds by the name of the photo."""
    names = ("eileen", "eileen again", "grace", "grace again")
    return {name: index(staff, photos[name], name.replace(" ", "-"))[0] for name in names}


@pytest.fixture
def both(staff, faces):
    """The collection with two users of two faces each."""
    for name in ("eileen", "grace"):
        staff.create_user(CollectionId="staff", UserId=name)
        associate(staff, name, [faces[name], faces[f"{name} again"]])
    return staff


# --- users themselves ---


def test_a_new_user_is_created_and_counted(staff):
    answer = staff.create_user(CollectionId="staff", UserId="a:b_c.d-e")
    assert answer.keys() == {"ResponseMetadata"}
    assert users(staff) == [("a:b_c.d-e", "CREATED")]
    assert staff.describe_collection(CollectionId="staff")["UserCount"] == 1


def test_a_user_id_is_taken_once_in_a_collection(staff):
    staff.create_user(CollectionId="staff", UserId="eileen")
    with pytest.raises(staff.exceptions.ConflictException) as refused:
        staff.create_user(CollectionId="staff", UserId="eileen")
    assert refused.value.response["Error"]["Message"] == "The user id: eileen already exists"
    staff.create_collection(CollectionId="guests")
    staff.create_user(CollectionId="guests", UserId="eileen")
    staff.create_user(CollectionId="staff", UserId="Eileen")
    assert len(users(staff)) == 2


def test_a_deleted_user_leaves_its_faces(both, faces):
    assert both.delete_user(CollectionId="staff", UserId="eileen").keys() == {"ResponseMetadata"}
    assert users(both) == [("grace", "ACTIVE")]
    described = both.describe_collection(CollectionId="staff")
    assert (described["UserCount"], described["FaceCount"]) == (1, 4)
    listed = both.list_faces(CollectionId="staff", FaceIds=[faces["eileen"]])["Faces"]
    assert "UserId" not in listed[0]
    with pytest.raises(both.exceptions.ResourceNotFoundException) as refused:
        both.delete_user(CollectionId="staff", UserId="eileen")
    assert refused.value.response["Error"]["Message"] == "The user id: eileen does not exist"


def test_users_go_with_their_collection(both):
    both.delete_collection(CollectionId="staff")
    both.create_collection(CollectionId="staff")
    assert users(both) == []
    both.create_user(CollectionId="staff", UserId="eileen")
    assert found(both.search_users(CollectionId="staff", UserId="eileen", UserMatchThreshold=0)) == []


def test_users_are_listed_in_the_order_of_creation_page_by_page(staff):
    names = [f"u{number}" for number in (3, 1, 4, 0, 2)]
    for name in names:
        staff.create_user(CollectionId="staff", UserId=name)
    pages = list(
        staff.get_paginator("list_users").paginate(CollectionId="staff", PaginationConfig={"PageSize": 2})
    )
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [user["UserId"] for page in pages for user in page["Users"]] == names


def test_a_token_of_another_listing_is_refused(staff):
    for name in "abc":
        staff.create_user(CollectionId="staff", UserId=name)
    token = staff.list_users(CollectionId="staff", MaxResults=1)["NextToken"]
    staff.create_collection(CollectionId="guests")
    for collection, given in (("guests", token), ("staff", token[:-1])):
        with pytest.raises(staff.exceptions.InvalidPaginationTokenException):
            staff.list_users(CollectionId=collection, NextToken=given)


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("create_user", {"UserId": "u"}),
        ("delete_user", {"UserId": "u"}),
        ("list_users", {}),
        ("associate_faces", {"UserId": "u", "FaceIds": [UNKNOWN]}),
        ("disassociate_faces", {"UserId": "u", "FaceIds": [UNKNOWN]}),
        ("search_users", {"UserId": "u"}),
        ("search_users_by_image", {"Image": {"Bytes": b"x"}}),
    ],
)
def test_a_collection_that_is_not_there_is_not_found(client, operation, more):
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="collection id: nowhere"):
        getattr(client, operation)(CollectionId="nowhere", **more)


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("delete_user", {}),
        ("associate_faces", {"FaceIds": [UNKNOWN]}),
        ("disassociate_faces", {"FaceIds": [UNKNOWN]}),
        ("search_users", {}),
        ("list_faces", {}),
    ],
)
def test_a_user_that_is_not_there_is_not_found(staff, operation, more):
    with pytest.raises(staff.exceptions.ResourceNotFoundException, match="user id: nobody does not exist"):
        getattr(staff, operation)(CollectionId="staff", UserId="nobody", **more)


def test_what_the_sdk_lets_through_is_refused(staff):
    for parameters in (
        {"UserId": "with space"},
        {"UserId": "x" * 129},
        {"UserId": "u", "ClientRequestToken": "?"},
    ):
        with pytest.raises(ClientError) as refused:
            staff.create_user(CollectionId="staff", **parameters)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="ValidationException"):
        associate(staff, "u", [UNKNOWN] * 101)


# --- faces of users ---


def test_a_user_with_faces_is_active_and_its_faces_say_whose_they_are(staff, faces):
    staff.create_user(CollectionId="staff", UserId="eileen")
    answer = associate(staff, "eileen", [faces["eileen again"], faces["eileen"], faces["eileen"]])
    assert answer["AssociatedFaces"] == [{"FaceId": faces["eileen again"]}, {"FaceId": faces["eileen"]}]
    assert answer["UnsuccessfulFaceAssociations"] == []
    assert answer["UserStatus"] == "ACTIVE"
    assert users(staff) == [("eileen", "ACTIVE")]
    listed = staff.list_faces(CollectionId="staff")["Faces"]
    assert [face.get("UserId") for face in listed] == ["eileen", "eileen", None, None]
    matches = staff.search_faces(CollectionId="staff", FaceId=faces["eileen"])["FaceMatches"]
    assert [match["Face"]["UserId"] for match in matches] == ["eileen"]


def test_faces_are_listed_by_user(both, faces):
    pages = list(
        both.get_paginator("list_faces").paginate(
            CollectionId="staff", UserId="grace", PaginationConfig={"PageSize": 1}
        )
    )
    listed = [face["FaceId"] for page in pages for face in page["Faces"]]
    assert listed == [faces["grace"], faces["grace again"]]
    both_filters = both.list_faces(CollectionId="staff", UserId="grace", FaceIds=[faces["eileen"], listed[1]])
    assert [face["FaceId"] for face in both_filters["Faces"]] == [listed[1]]


def test_a_face_that_is_the_user_s_already_is_in_neither_list(both, faces):
    answer = associate(both, "eileen", [faces["eileen"]])
    assert (answer["AssociatedFaces"], answer["UnsuccessfulFaceAssociations"]) == ([], [])
    assert answer["UserStatus"] == "ACTIVE"


def test_faces_that_cannot_be_associated_are_told_with_their_reasons(both, faces, photos):
    third = index(both, photos["grace"], "grace-once-more")[0]
    answer = associate(both, "eileen", [UNKNOWN, faces["grace"], third])
    assert answer["AssociatedFaces"] == []
    unknown, other, unlike = answer["UnsuccessfulFaceAssociations"]
    assert unknown == {"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]}
    assert other == {
        "FaceId": faces["grace"],
        "UserId": "grace",
        "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"],
    }
    assert unlike.keys() == {"FaceId", "Confidence", "Reasons"}
    assert unlike["Reasons"] == ["LOW_MATCH_CONFIDENCE"] and 0 <= unlike["Confidence"] < 75


def test_the_first_faces_of_a_user_are_taken_untested_and_a_threshold_of_nothing_takes_all(staff, faces):
    staff.create_user(CollectionId="staff", UserId="mixed")
    first = associate(staff, "mixed", [faces["eileen"], faces["grace"]], UserMatchThreshold=100)
    assert len(first["AssociatedFaces"]) == 2
    strict = associate(staff, "mixed", [faces["grace again"]], UserMatchThreshold=100)
    assert strict["UnsuccessfulFaceAssociations"][0]["Reasons"] == ["LOW_MATCH_CONFIDENCE"]
    lax = associate(staff, "mixed", [faces["grace again"]], UserMatchThreshold=0)
    assert len(lax["AssociatedFaces"]) == 1


def test_a_user_whose_faces_were_all_refused_stays_as_it_was(staff):
    staff.create_user(CollectionId="staff", UserId="u")
    assert associate(staff, "u", [UNKNOWN])["UserStatus"] == "CREATED"
    assert users(staff) == [("u", "CREATED")]


def test_a_user_has_no_more_than_a_hundred_faces(staff, engine, recognizer):
    staff.create_user(CollectionId="staff", UserId="grace")
    vector = np.full(recognizer.dimensions, recognizer.dimensions**-0.5, dtype="<f4").tobytes()
    faces = [NewFace(number, 0.0, 0.5, 0.5, 99.0, vector) for number in range(101)]
    stored = engine._store.add_faces("staff", recognizer.model_version, UNKNOWN, None, faces)
    many = [face.face_id for face in stored]
    associate(staff, "grace", many[:99])
    with pytest.raises(staff.exceptions.ServiceQuotaExceededException, match="more than 100 faces"):
        associate(staff, "grace", many[99:])
    assert len(staff.list_faces(CollectionId="staff", UserId="grace")["Faces"]) == 99
    assert len(associate(staff, "grace", many[99:100])["AssociatedFaces"]) == 1
    again = associate(staff, "grace", [many[0], UNKNOWN])
    assert [one["FaceId"] for one in again["UnsuccessfulFaceAssociations"]] == [UNKNOWN]


def test_a_face_of_a_user_is_not_deleted_before_it_is_disassociated(both, faces):
    answer = both.delete_faces(CollectionId="staff", FaceIds=[faces["grace"], UNKNOWN])
    assert answer["DeletedFaces"] == []
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": faces["grace"], "UserId": "grace", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]},
        {"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]},
    ]
    assert both.describe_collection(CollectionId="staff")["FaceCount"] == 4
    both.disassociate_faces(CollectionId="staff", UserId="grace", FaceIds=[faces["grace"]])
    deleted = both.delete_faces(CollectionId="staff", FaceIds=[faces["grace"]])
    assert deleted["DeletedFaces"] == [faces["grace"]]


def test_disassociated_faces_are_nobody_s_and_the_others_are_told(both, faces, photos):
    free = index(both, photos["grace"], "free")[0]
    answer = both.disassociate_faces(
        CollectionId="staff", UserId="grace", FaceIds=[faces["grace"], faces["eileen"], UNKNOWN, free]
    )
    assert answer["DisassociatedFaces"] == [{"FaceId": faces["grace"]}]
    assert answer["UnsuccessfulFaceDisassociations"] == [
        {"FaceId": faces["eileen"], "UserId": "eileen", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]},
        {"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]},
    ]
    assert answer["UserStatus"] == "ACTIVE"
    listed = both.list_faces(CollectionId="staff", UserId="grace")["Faces"]
    assert [face["FaceId"] for face in listed] == [faces["grace again"]]


def test_a_user_that_lost_its_last_face_is_found_no_more_and_may_start_anew(both, faces):
    mine = [faces["grace"], faces["grace again"]]
    query = {"CollectionId": "staff", "FaceId": faces["grace"]}
    assert found(both.search_users(**query)) == ["grace"]
    both.disassociate_faces(CollectionId="staff", UserId="grace", FaceIds=mine)
    assert ("grace", "ACTIVE") in users(both)
    assert found(both.search_users(**query)) == []
    assert found(both.search_users(CollectionId="staff", UserId="grace", UserMatchThreshold=0)) == []
    associate(both, "grace", [faces["grace again"]])
    assert found(both.search_users(**query)) == ["grace"]


# --- searching ---


def test_users_are_found_by_a_face_best_first(both, faces):
    answer = both.search_users(CollectionId="staff", FaceId=faces["grace"], UserMatchThreshold=0)
    assert answer["SearchedFace"] == {"FaceId": faces["grace"]} and "SearchedUser" not in answer
    assert found(answer) == ["grace", "eileen"]
    similarities = [match["Similarity"] for match in answer["UserMatches"]]
    assert similarities[0] > 95 and similarities[1] < 50
    assert answer["UserMatches"][0]["User"] == {"UserId": "grace", "UserStatus": "ACTIVE"}
    one = both.search_users(CollectionId="staff", FaceId=faces["grace"], UserMatchThreshold=0, MaxUsers=1)
    assert found(one) == ["grace"]
    assert found(both.search_users(CollectionId="staff", FaceId=faces["grace"])) == ["grace"]


def test_users_are_found_by_a_user_without_that_one(both, faces, photos):
    both.create_user(CollectionId="staff", UserId="double")
    associate(both, "double", index(both, photos["grace again"], "double"))
    answer = both.search_users(CollectionId="staff", UserId="grace")
    assert found(answer) == ["double"]
    assert answer["SearchedUser"] == {"UserId": "grace"} and "SearchedFace" not in answer
    assert found(both.search_users(CollectionId="staff", UserId="grace", MaxUsers=1)) == ["double"]


def test_a_search_for_users_needs_one_thing_to_search_for(both, faces):
    for more in ({}, {"UserId": "grace", "FaceId": faces["grace"]}):
        with pytest.raises(both.exceptions.InvalidParameterException, match="either a UserId or a FaceId"):
            both.search_users(CollectionId="staff", **more)
    with pytest.raises(both.exceptions.InvalidParameterException, match="faceId was not found"):
        both.search_users(CollectionId="staff", FaceId=UNKNOWN)


def test_users_are_found_by_the_largest_face_of_an_image(both, photos):
    answer = both.search_users_by_image(CollectionId="staff", Image={"Bytes": photos["both"]})
    assert found(answer) == ["grace"]
    searched = answer["SearchedFace"]["FaceDetail"]["BoundingBox"]
    (smaller,) = answer["UnsearchedFaces"]
    assert smaller["Reasons"] == ["FACE_NOT_LARGEST"]
    assert searched["Left"] < 0.5 < smaller["FaceDetails"]["BoundingBox"]["Left"]


def test_an_image_without_a_face_finds_no_user_and_is_no_error(both, photos):
    answer = both.search_users_by_image(CollectionId="staff", Image={"Bytes": photos["nobody"]})
    assert (answer["UserMatches"], answer["UnsearchedFaces"]) == ([], [])
    assert "SearchedFace" not in answer


def test_faces_under_the_quality_filter_are_not_searched_for(both, photos):
    with Image.open(io.BytesIO(photos["grace"])) as image:
        tiny = Image.new("RGB", (400, 400), (90, 110, 130))
        tiny.paste(image.resize((80, 80)), (20, 20))
    buffer = io.BytesIO()
    tiny.save(buffer, "PNG")
    query = {"CollectionId": "staff", "Image": {"Bytes": buffer.getvalue()}}
    seen = both.search_users_by_image(**query)
    assert "SearchedFace" in seen and seen["UnsearchedFaces"] == []
    answer = both.search_users_by_image(**query, QualityFilter="HIGH")
    assert (answer["UserMatches"], "SearchedFace" in answer) == ([], False)
    (left_out,) = answer["UnsearchedFaces"]
    assert "SMALL_BOUNDING_BOX" in left_out["Reasons"]


def test_a_search_sees_every_change_at_once(both, faces, photos):
    query = {"CollectionId": "staff", "FaceId": faces["eileen"]}
    assert found(both.search_users(**query)) == ["eileen"]
    both.delete_user(CollectionId="staff", UserId="eileen")
    assert found(both.search_users(**query)) == []
    both.create_user(CollectionId="staff", UserId="collins")
    associate(both, "collins", [faces["eileen"]])
    assert found(both.search_users(**query)) == ["collins"]


def test_a_user_of_one_face_is_as_similar_as_that_face(staff, faces):
    for name in ("eileen", "grace"):
        staff.create_user(CollectionId="staff", UserId=name)
        associate(staff, name, [faces[name]])
    ask = {"CollectionId": "staff", "FaceId": faces["grace again"]}
    by_face = {
        match["Face"].get("UserId"): match["Similarity"]
        for match in staff.search_faces(**ask, FaceMatchThreshold=0)["FaceMatches"]
    }
    for match in staff.search_users(**ask, UserMatchThreshold=0)["UserMatches"]:
        assert match["Similarity"] == pytest.approx(by_face[match["User"]["UserId"]], abs=1e-3)


def test_a_photo_that_was_enrolled_finds_its_user_whatever_faces_are_added(both, faces, photos):
    others = [index(both, photos["eileen"], f"more{number}")[0] for number in range(4)]
    associate(both, "grace", others, UserMatchThreshold=0)
    for name in ("grace", "grace again"):
        answer = both.search_users_by_image(CollectionId="staff", Image={"Bytes": photos[name]})
        assert found(answer) == ["grace"]
        assert answer["UserMatches"][0]["Similarity"] > 99
