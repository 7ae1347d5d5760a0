"""The gateway's calls for users, against a stub that holds them to the API."""

import pytest
from botocore.stub import Stubber

from facesearch.domain.faces import Association, UserMatch
from facesearch.errors import NoFaceError, ServiceError
from facesearch.rekognition import Rekognition

IDS = ["11111111-2222-4333-8444-000000000001", "11111111-2222-4333-8444-000000000002"]
BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}


def test_a_user_who_is_there_need_not_be_made(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response("create_user", {"ResponseMetadata": {"RequestId": "r1"}})
    assert gateway.create_user("c", "u") == "r1"
    stub.add_client_error("create_user", "ConflictException", http_status_code=400)
    gateway.create_user("c", "u")
    stub.add_client_error("create_user", "ServiceQuotaExceededException", http_status_code=400)
    with pytest.raises(ServiceError, match="quota"):
        gateway.create_user("c", "u")


def test_faces_are_given_however_little_they_resemble(stub: Stubber, gateway: Rekognition) -> None:
    refused = [{"FaceId": IDS[1], "UserId": "v", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}]
    stub.add_response(
        "associate_faces",
        {
            "AssociatedFaces": [{"FaceId": IDS[0]}],
            "UnsuccessfulFaceAssociations": refused,
            "UserStatus": "UPDATING",
            "ResponseMetadata": {"RequestId": "r2"},
        },
        {"CollectionId": "c", "UserId": "u", "FaceIds": IDS, "UserMatchThreshold": 0},
    )
    assert gateway.associate_faces("c", "u", IDS) == Association(
        {IDS[1]: ("ASSOCIATED_TO_A_DIFFERENT_USER",)}, "r2"
    )


def test_users_are_found_by_the_largest_face(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response(
        "search_users_by_image",
        {
            "SearchedFace": {"FaceDetail": {"BoundingBox": BOX, "Confidence": 99.5}},
            "UserMatches": [{"Similarity": 98.5, "User": {"UserId": "u", "UserStatus": "ACTIVE"}}],
            "FaceModelVersion": "7.0",
        },
        {"CollectionId": "c", "Image": {"Bytes": b"x"}, "UserMatchThreshold": 80, "MaxUsers": 500},
    )
    found = gateway.search_users_by_image("c", b"x", threshold=80)
    assert (found.users, found.matches, found.confidence) == ((UserMatch("u", 98.5),), (), 99.5)
    stub.add_response("search_users_by_image", {"UserMatches": [], "FaceModelVersion": "7.0"})
    with pytest.raises(NoFaceError, match="no face"):
        gateway.search_users_by_image("c", b"x", threshold=80)
