"""Buckets on moto's S3, by the commands that a person types."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

from facesearch.bootstrap import open_account
from facesearch.cli import main
from facesearch.domain.buckets import ObjectVersion
from facesearch.settings import Settings

IN_IRELAND = {"LocationConstraint": "eu-west-1"}


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["bucket", *arguments])
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "-o", "json", code=code).stdout)


def made(s3, name="photos", **versioning):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=IN_IRELAND)
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    return name


def test_a_new_bucket_is_in_the_region_closed_and_encrypted(s3):
    assert answer("create", "my-photos")["bucket"] == {
        "name": "my-photos",
        "region": "eu-west-1",
        "public_access_blocked": True,
        "not_blocked": [],
        "encryption": "AES256",
        "versioning": "off",
        "versions": 0,
        "more_versions": False,
        "unknown": {},
    }
    assert s3.get_bucket_location(Bucket="my-photos")["LocationConstraint"] == "eu-west-1"
    blocks = s3.get_public_access_block(Bucket="my-photos")["PublicAccessBlockConfiguration"]
    assert set(blocks.values()) == {True}


def test_a_new_bucket_in_the_first_region_is_made_without_naming_it(s3, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert answer("create", "my-photos")["bucket"]["region"] == "us-east-1"


def test_without_a_region_no_bucket_is_made_anywhere(s3, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    assert "no AWS region is set" in run("create", "my-photos", code=4).stderr
    assert s3.list_buckets()["Buckets"] == []


def test_without_credentials_it_is_said_what_to_do(monkeypatch, credentials):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "there are no AWS credentials" in run("list", code=4).stderr


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_that_is_there_is_not_made_or_changed_again(s3, monkeypatch, region):
    monkeypatch.setenv("AWS_REGION", region)
    answer("create", "my-photos")
    s3.delete_public_access_block(Bucket="my-photos")
    assert "it is yours" in run("create", "my-photos", code=2).stderr
    assert answer("show", "my-photos")["bucket"]["public_access_blocked"] is False


def test_a_name_against_the_rules_is_refused_before_any_call(credentials):
    error = run("create", "My_Photos", code=2).stderr  # no moto here: a call would fail otherwise
    assert error.endswith(
        "error: 'My_Photos' cannot be the name of a bucket: "
        "it may hold only a-z, 0-9, dots and hyphens, not 'M'\n"
    )


@pytest.mark.parametrize("command", [["show"], ["empty", "--yes"], ["delete", "--yes"]])
def test_what_is_no_ordinary_bucket_is_left_alone(credentials, command):
    error = run(*command, "arn:aws:s3:eu-west-1:123456789012:accesspoint/x", code=2).stderr
    assert "write the name alone" in error


def test_buckets_are_listed(s3):
    for number in range(3):
        made(s3, f"photos-{number}")
    assert [one["name"] for one in answer("list")["buckets"]] == ["photos-0", "photos-1", "photos-2"]
    assert run("list", "-o", "csv").stdout.splitlines()[0] == "name,region,created_at"


def test_versions_delete_markers_and_suspended_versioning_are_shown(s3):
    made(s3, Status="Enabled")
    s3.put_object(Bucket="photos", Key="a", Body=b"1")
    s3.put_object(Bucket="photos", Key="a", Body=b"2")
    s3.delete_object(Bucket="photos", Key="a")
    shown = answer("show", "photos")["bucket"]
    assert (shown["versioning"], shown["versions"]) == ("on", 3)
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Suspended"})
    assert answer("show", "photos")["bucket"]["versioning"] == "suspended"


def test_a_customers_key_is_shown(s3):
    made(s3)
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/photos"}
    }
    s3.put_bucket_encryption(Bucket="photos", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert answer("show", "photos")["bucket"]["encryption"] == "aws:kms alias/photos"


def test_a_missing_bucket_is_named(s3):
    for command in (["show"], ["empty", "--yes"], ["delete", "--yes"]):
        assert "there is no bucket photos" in run(*command, "photos", code=2).stderr


def test_more_versions_than_one_call_takes_are_all_deleted(s3):
    made(s3, Status="Enabled")
    backend = get_backend("s3")[ACCOUNT_ID]["aws"]  # 1,002 calls would take seconds
    for number in range(501):
        backend.put_object("photos", f"{number:04}", b"1")
        backend.delete_object("photos", f"{number:04}")
    emptied = answer("empty", "photos", "--yes")
    assert (emptied["versions_deleted"], emptied["kept"], emptied["bucket_deleted"]) == (1002, [], False)
    left = s3.list_object_versions(Bucket="photos")
    assert "Versions" not in left and "DeleteMarkers" not in left
    assert answer("delete", "photos", "--yes")["bucket_deleted"] is True
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket="photos")


def test_a_bucket_without_versions_is_emptied_and_deleted_in_one_go(s3):
    made(s3)
    for key in ("a", "b/ c&<>'\"", "ünï/\t", "x" * 1000):
        s3.put_object(Bucket="photos", Key=key, Body=b"1")
    assert answer("delete", "photos", "--yes")["versions_deleted"] == 4
    assert s3.list_buckets()["Buckets"] == []


def test_a_key_that_no_list_of_keys_can_hold_is_deleted_by_itself(s3):
    made(s3)
    s3.put_object(Bucket="photos", Key="a\x01b", Body=b"1")
    s3.put_object(Bucket="photos", Key="c", Body=b"1")
    with open_account(Settings.resolve()) as account:
        kept = account._buckets.delete_versions(
            "photos", [ObjectVersion(key, "null") for key in ("a\x01b", "c")]
        )
    assert kept == []
    assert s3.list_objects_v2(Bucket="photos")["KeyCount"] == 0


@pytest.mark.parametrize("command", ["empty", "delete"])
def test_nothing_is_deleted_without_yes_where_nobody_can_be_asked(s3, command):
    made(s3)
    s3.put_object(Bucket="photos", Key="a", Body=b"1")
    error = run(command, "photos", code=2).stderr
    assert "1 version or delete marker" in error and "--yes" in error
    assert s3.list_objects_v2(Bucket="photos")["KeyCount"] == 1


def test_what_s3_keeps_is_told_object_by_object_and_the_bucket_stays(s3):
    s3.create_bucket(Bucket="photos", CreateBucketConfiguration=IN_IRELAND, ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket="photos", Key="free", Body=b"1")
    s3.put_object(Bucket="photos", Key="locked", Body=b"1", ObjectLockLegalHoldStatus="ON")
    emptied = answer("delete", "photos", "--yes", code=3)
    assert (emptied["versions_deleted"], emptied["bucket_deleted"]) == (1, False)
    assert [(one["key"], one["code"]) for one in emptied["kept"]] == [("locked", "AccessDenied")]
    result = run("empty", "photos", "--yes", "-o", "csv", code=3)
    assert result.stdout.splitlines()[1].startswith("locked,")
    assert "run the same again" in result.stderr


def test_a_bucket_of_another_account_is_not_ours(s3, monkeypatch):
    made(s3, "theirs")
    other = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::111111111111:role/other", RoleSessionName="other"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", other["Credentials"]["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", other["Credentials"]["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", other["Credentials"]["SessionToken"])
    monkeypatch.setenv("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")
    for command in (["show"], ["create"]):
        assert "the bucket theirs belongs to another account" in run(*command, "theirs", code=4).stderr
    for command in (["empty", "--yes"], ["delete", "--yes"]):
        assert "s3:ListBucketVersions" in run(*command, "theirs", code=4).stderr


@pytest.fixture
def limited(s3, monkeypatch):
    """limited(*actions): from now on the program runs as a user who may do these alone.

    For HeadBucket moto asks for an action that AWS does not have, beside s3:ListBucket.
    """

    def limit(*actions):
        iam = boto3.client("iam")
        iam.create_user(UserName="ada")
        statement = {"Effect": "Allow", "Action": ["s3:HeadBucket", *actions], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="ada", PolicyName="limits", PolicyDocument=document)
        key = iam.create_access_key(UserName="ada")["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)

    return limit


def test_a_missing_right_is_named_as_iam_calls_it(s3, limited):
    made(s3)
    limited("s3:ListAllMyBuckets")
    assert answer("list")["buckets"][0]["name"] == "photos"
    assert "s3:ListBucketVersions" in run("empty", "photos", "--yes", code=4).stderr
    assert "s3:ListBucketVersions" in run("delete", "photos", "--yes", code=4).stderr


def test_another_service_is_asked_where_its_endpoint_is_set(credentials, elsewhere, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", elsewhere)
    monkeypatch.delenv("AWS_REGION")
    result = run("create", "photos", "-o", "json")
    assert result.stderr == f"S3: {elsewhere} · region: us-east-1\n"
    boto3.client("s3", endpoint_url=elsewhere, region_name="us-east-1").put_object(
        Bucket="photos", Key="a", Body=b"1"
    )
    assert answer("delete", "photos", "--yes")["versions_deleted"] == 1
    assert answer("list")["buckets"] == []


class Answers(BaseHTTPRequestHandler):
    """Answers what a test wants, one answer after the other, the last of them ever after."""

    def do_any(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        subresource = re.split("[&=]", self.path.partition("?")[2])[0]
        answers = self.server.answers.get((self.command, subresource), [(200, b"")])
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        """Says nothing: stderr is what the tests look at."""


@pytest.fixture
def service(credentials, monkeypatch):
    """A service whose answers are set by method and subresource."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.answers = {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("FACESEARCH_MAX_ATTEMPTS", "1")
        yield server.answers
        server.shutdown()


def refusal(code, status):
    return [(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())]


def test_buckets_are_listed_page_by_page_with_their_regions(service):
    page = (
        "<R><Buckets><Bucket><Name>{}</Name><BucketRegion>eu-west-3</BucketRegion></Bucket></Buckets>{}</R>"
    )
    more = "<ContinuationToken>more</ContinuationToken>"
    service["GET", "max-buckets"] = [
        (200, page.format("a", more).encode()),
        (200, page.format("b", "").encode()),
    ]
    service["GET", "continuation-token"] = [(200, page.format("b", "").encode())]
    shown = [(one["name"], one["region"]) for one in answer("list")["buckets"]]
    assert shown == [("a", "eu-west-3"), ("b", "eu-west-3")]


def test_what_another_service_does_not_know_is_said_and_is_no_failure(service):
    service["HEAD", ""] = [(404, b""), (200, b"")]
    service["GET", "location"] = [(200, b"<LocationConstraint></LocationConstraint>")]
    for subresource in ("publicAccessBlock", "encryption"):
        service["PUT", subresource] = refusal("NotImplemented", 501)
        service["GET", subresource] = refusal("NotImplemented", 501)
    result = run("create", "photos", "-o", "json", code=0)
    assert "this S3 service does not know GetPublicAccessBlock" in result.stderr
    assert json.loads(result.stdout)["bucket"]["public_access_blocked"] is None


def test_what_may_not_be_seen_stays_open_and_the_rest_is_shown(service):
    service["GET", "location"] = [(200, b"<LocationConstraint>EU</LocationConstraint>")]
    service["GET", "versioning"] = [(200, b"<V><Status>Enabled</Status></V>")]
    for subresource in ("encryption", "publicAccessBlock", "versions"):
        service["GET", subresource] = refusal("AccessDenied", 403)
    result = run("show", "photos", "-o", "json")
    shown = json.loads(result.stdout)["bucket"]
    assert (shown["region"], shown["versioning"]) == ("eu-west-1", "on")
    assert (shown["encryption"], shown["public_access_blocked"], shown["versions"]) == (None, None, None)
    assert set(shown["unknown"]) == {"encryption", "unblocked", "versions"}
    for right in ("s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock", "s3:ListBucketVersions"):
        assert right in result.stderr


def test_a_bucket_that_could_not_be_closed_is_partly_done_and_told(service):
    service["HEAD", ""] = [(404, b""), (200, b"")]
    service["GET", "location"] = [(200, b"<LocationConstraint></LocationConstraint>")]
    service["PUT", "publicAccessBlock"] = refusal("AccessDenied", 403)
    service["GET", "publicAccessBlock"] = refusal("NoSuchPublicAccessBlockConfiguration", 404)
    service["GET", "encryption"] = refusal("ServerSideEncryptionConfigurationNotFoundError", 404)
    result = run("create", "photos", "-o", "json", code=3)
    assert "the bucket was made, but public access is not blocked" in result.stderr
    assert "s3:PutBucketPublicAccessBlock" in result.stderr
    shown = json.loads(result.stdout)["bucket"]
    assert (shown["public_access_blocked"], shown["encryption"]) == (False, "none")


@pytest.mark.parametrize(
    ("code", "status", "exit_code", "words"),
    [
        ("BucketAlreadyExists", 409, 2, "somebody else has a bucket photos"),
        ("TooManyBuckets", 400, 5, "TooManyBuckets"),
        ("AccessDenied", 403, 4, "s3:CreateBucket"),
        ("IllegalLocationConstraintException", 400, 4, "set AWS_REGION"),
        ("ExpiredToken", 400, 4, "have expired"),
        ("InvalidAccessKeyId", 403, 4, "does not know the credentials"),
        ("OperationAborted", 409, 5, "try again later"),
        ("InternalError", 500, 5, "try again later"),
    ],
)
def test_what_s3_refuses_is_said_in_words(service, code, status, exit_code, words):
    service["HEAD", ""] = [(404, b"")]
    service["PUT", ""] = refusal(code, status)
    assert words in run("create", "photos", code=exit_code).stderr


def test_a_version_that_is_deleted_and_never_goes_is_told_in_the_end(service):
    listed = "<Version><Key>a</Key><VersionId>1</VersionId></Version>"
    service["GET", "versions"] = [(200, f"<ListVersionsResult>{listed}</ListVersionsResult>".encode())]
    service["POST", "delete"] = [(200, b"<DeleteResult></DeleteResult>")]
    emptied = answer("delete", "photos", "--yes", code=3)
    assert [(one["key"], one["code"]) for one in emptied["kept"]] == [("a", "StillThere")]
    assert not emptied["bucket_deleted"]


def test_what_does_not_speak_s3_is_told(service):
    service["GET", "versions"] = [(200, b"<html>hello")]
    service["GET", "location"] = [(200, b"")]
    run("empty", "photos", "--yes", code=5)
    assert "does not speak S3's API" in run("show", "photos", code=5).stderr


def test_a_service_that_is_not_there_is_told(credentials, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("FACESEARCH_MAX_ATTEMPTS", "1")
    assert "AWS_ENDPOINT_URL_S3" in run("list", code=5).stderr
