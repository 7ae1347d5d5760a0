"""What the template grants each function is exactly what its code calls: recorded while the handlers work."""

from collections.abc import Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from cfnlint.decode import decode_str

import facesearch
from facesearch import aws_lambda
from facesearch.aws.actions import needed

from .conftest import BUCKET, forget_processes, queued, record

REGION, ACCOUNT, COLLECTION = "us-east-1", "123456789012", "staff"
MODEL = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/cats/version/cats.1/1700000000000"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "BucketName": BUCKET,
    "CollectionId": COLLECTION,
    "CustomLabelsProjectVersionArn": MODEL,
    "DeadLetterQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead",
}
TEMPLATE = decode_str((Path(facesearch.__file__).parent / "deploy" / "template.yaml").read_text())[0][
    "Resources"
]


def resolved(value):
    """A value of the template as CloudFormation would make it, with every condition true."""
    if not isinstance(value, Mapping):
        return value
    [(function, argument)] = value.items()
    if function == "Ref":
        return VALUES[argument]
    if function == "Fn::GetAtt":
        return VALUES[".".join(argument)]
    if function == "Fn::Sub":
        for name, text in VALUES.items():
            argument = argument.replace(f"${{{name}}}", text)
        return argument
    raise AssertionError(f"{function} is not known here")


def listed(value):
    return value if isinstance(value, list) else [value]


def granted(role):
    """Each action with each resource that a role's policy `Calls` allows."""
    policy = next(one for one in TEMPLATE[role]["Properties"]["Policies"] if one["PolicyName"] == "Calls")
    statements = [one.get("Fn::If", [None, one])[1] for one in policy["PolicyDocument"]["Statement"]]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, resolved(resource))
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def on(service, parameters):
    """The ARN that IAM is asked about for a call."""
    if service == "s3":
        key = f"/{parameters['Key']}" if "Key" in parameters else ""
        return f"arn:aws:s3:::{parameters['Bucket']}{key}"
    if service == "sqs":
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{parameters['QueueUrl'].rpartition('/')[2]}"
    if "CollectionId" in parameters:
        return f"arn:aws:rekognition:{REGION}:{ACCOUNT}:collection/{parameters['CollectionId']}"
    return parameters.get("ProjectVersionArn", "*")


@contextmanager
def recording(monkeypatch):
    """Every action that is needed for what is called in the block, with what it is needed on."""
    made = set()
    real = BaseClient._make_api_call

    def call(self, operation, parameters):
        service = self.meta.service_model.service_name
        made.update((action, on(service, parameters)) for action in needed(service, operation))
        if stored := parameters.get("Image", {}).get("S3Object"):  # which Rekognition reads in our name
            made.add(("s3:GetObject", on("s3", {"Bucket": stored["Bucket"], "Key": stored["Name"]})))
        try:
            return real(self, operation, parameters)
        except ClientError as exc:
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # else S3 would answer AccessDenied
                made.add(("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"))
            raise

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield made


def missing(granted, made):
    return {
        (action, arn)
        for action, arn in made
        if not any(action == one and fnmatchcase(arn, pattern) for one, pattern in granted)
    }


def superfluous(granted, made):
    return {
        (action, pattern)
        for action, pattern in granted
        if not any(action == one and fnmatchcase(arn, pattern) for one, arn in made)
    }


@pytest.fixture
def dead_letters(s3, monkeypatch):
    url = boto3.client("sqs", region_name=REGION).create_queue(QueueName="dead")["QueueUrl"]
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", url)


@pytest.fixture
def tagging(put, s3, dead_letters, samples, monkeypatch):
    """What tagging calls for a photo, for what is none, for one that is gone, and with a model of one's own."""
    photo = put("uploads/a/hugo.jpg", (samples / "queries" / "hugo.jpg").read_bytes())
    broken = put("uploads/broken.jpg", b"no photo")
    with recording(monkeypatch) as made:
        answer = aws_lambda.tag_handler(queued({"Records": [photo, broken, record("uploads/gone.jpg")]}))
        assert outcomes(answer)[0] == "tagged"
        forget_processes()
        monkeypatch.setenv("CUSTOM_LABELS_PROJECT_VERSION_ARN", MODEL)
        aws_lambda.tag_handler(queued({"Records": [photo]}))
    return granted("TagRole"), made


@pytest.fixture
def enrolling(put, s3, dead_letters, samples, monkeypatch):
    """What enrolling calls for a photo, for another in its place, for what is none, and for one that is gone.

    The faces were given to users in between, as a command does.
    """
    monkeypatch.setenv("FACESEARCH_COLLECTION", COLLECTION)
    first, second = sorted((samples / "people" / "Amara Okafor").glob("*.jpg"))[:2]
    created = put("people/Amara/1.jpg", first.read_bytes())
    with recording(monkeypatch) as made:
        assert outcomes(aws_lambda.enroll_handler(queued({"Records": [created]}))) == ["enrolled"]
    aws_lambda._app().keep_users(COLLECTION)
    replaced, broken = put("people/Amara/1.jpg", second.read_bytes()), put("people/Amara/2.jpg", b"no photo")
    with recording(monkeypatch) as more:
        assert outcomes(aws_lambda.enroll_handler(queued({"Records": [replaced, broken]}))) == ["enrolled"]
    s3.delete_object(Bucket=BUCKET, Key="people/Amara/1.jpg")
    with recording(monkeypatch) as last:
        aws_lambda.enroll_handler(queued({"Records": [record("people/Amara/1.jpg", "ObjectRemoved:Delete")]}))
    return granted("EnrollRole"), made | more | last


@pytest.fixture
def searching(put, s3, dead_letters, samples, monkeypatch):
    """What searching calls for a photo, again for the same, for what is none, and for one that is gone."""
    monkeypatch.setenv("FACESEARCH_COLLECTION", COLLECTION)
    boto3.client("rekognition", region_name=REGION).create_collection(CollectionId=COLLECTION)
    photo = put("queries/a/hugo.jpg", (samples / "queries" / "hugo.jpg").read_bytes())
    broken = put("queries/broken.jpg", b"no photo")
    events = {"Records": [photo, photo, broken, record("queries/gone.jpg")]}
    with recording(monkeypatch) as made:
        assert outcomes(aws_lambda.search_handler(queued(events)))[:2] == ["unmatched", "already"]
    return granted("SearchRole"), made


def outcomes(answer):
    return [one["outcome"] for one in answer["objects"]]


@pytest.fixture(params=["tagging", "enrolling", "searching"])
def rights(request):
    return request.getfixturevalue(request.param)


def test_a_function_may_do_what_it_does_and_nothing_else_and_any_change_of_that_is_noticed(rights):
    allowed, made = rights
    assert missing(allowed, made) == set()
    assert superfluous(allowed, made) == set()
    for one in allowed:
        assert missing(allowed - {one}, made), one
    for more in (("rekognition:DeleteCollection", "*"), ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/others/*")):
        assert superfluous(allowed | {more}, made) == {more}
