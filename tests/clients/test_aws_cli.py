"""The AWS CLI against the engine, with signatures."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients


@pytest.fixture
def aws(endpoint):
    """Runs `aws rekognition ...`: the decoded answer, or with `fails` what it says on stderr."""
    program = shutil.which("aws", path=Path(sys.executable).parent) or shutil.which("aws")
    assert program, "the AWS CLI is not installed: pip install awscli"

    def run(operation, *arguments, fails=False, **environment):
        command = [program, "rekognition", operation, "--output", "json", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**endpoint.environment, **environment}
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else json.loads(done.stdout or "{}")

    return run


def test_the_aws_cli_indexes_lists_searches_and_deletes(aws, portraits):
    created = aws("create-collection", "--collection-id", "staff")
    assert created["StatusCode"] == 200
    staff = ("--collection-id", "staff")
    faces = {}
    for person, (photo, _) in portraits.items():
        image = ("--image-bytes", f"fileb://{photo}", "--external-image-id", person.replace(" ", "_"))
        [record] = aws("index-faces", *staff, *image)["FaceRecords"]
        faces[person] = record["Face"]["FaceId"]

    listed = aws("list-faces", *staff, "--page-size", 1)
    assert [face["FaceId"] for face in listed["Faces"]] == list(faces.values())
    first = aws("list-faces", *staff, "--max-items", 1)
    rest = aws("list-faces", *staff, "--starting-token", first["NextToken"])
    assert [face["FaceId"] for face in first["Faces"] + rest["Faces"]] == list(faces.values())

    for person, (_, photo) in portraits.items():
        found = aws("search-faces-by-image", *staff, "--image-bytes", f"fileb://{photo}", "--max-faces", 1)
        assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [faces[person]]

    one = next(iter(faces.values()))
    assert aws("delete-faces", *staff, "--face-ids", one)["DeletedFaces"] == [one]
    assert aws("describe-collection", *staff)["FaceCount"] == 1
    assert aws("delete-collection", *staff)["StatusCode"] == 200
    assert aws("list-collections")["CollectionIds"] == []


def test_the_aws_cli_finds_users_by_the_faces_they_have_been_given(aws, portraits):
    aws("create-collection", "--collection-id", "staff")
    staff = ("--collection-id", "staff")
    for user, (photo, _) in zip(("first", "second"), portraits.values(), strict=True):
        aws("create-user", *staff, "--user-id", user)
        [record] = aws("index-faces", *staff, "--image-bytes", f"fileb://{photo}")["FaceRecords"]
        face = record["Face"]["FaceId"]
        given = aws("associate-faces", *staff, "--user-id", user, "--face-ids", face)
        assert given["AssociatedFaces"] == [{"FaceId": face}] and given["UserStatus"] == "ACTIVE"
    listed = aws("list-users", *staff, "--page-size", 1)
    assert [user["UserId"] for user in listed["Users"]] == ["first", "second"]

    for user, (_, photo) in zip(("first", "second"), portraits.values(), strict=True):
        found = aws("search-users-by-image", *staff, "--image-bytes", f"fileb://{photo}", "--max-users", 1)
        assert [match["User"]["UserId"] for match in found["UserMatches"]] == [user]

    aws("delete-user", *staff, "--user-id", "first")
    assert [user["UserId"] for user in aws("list-users", *staff)["Users"]] == ["second"]
    said = aws("delete-user", *staff, "--user-id", "first", fails=True)
    assert "ResourceNotFoundException" in said


def test_the_aws_cli_tells_the_errors_of_the_engine(aws):
    said = aws("describe-collection", "--collection-id", "nobody", fails=True)
    assert "ResourceNotFoundException" in said and "The collection id: nobody does not exist" in said
    said = aws("list-collections", fails=True, AWS_SECRET_ACCESS_KEY="wrong")
    assert "InvalidSignatureException" in said
    said = aws("list-collections", fails=True, AWS_SESSION_TOKEN="of somebody")
    assert "UnrecognizedClientException" in said
