"""Who may call over HTTP: requests that boto3 signs, and requests that somebody else made of them."""

import hashlib
import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import boto3
import botocore
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from facesearch.engine.errors import StoreError
from facesearch.engine.http.access import READING
from facesearch.engine.http.keys import Keys
from facesearch.engine.http.server import listen
from facesearch.engine.operations import OPERATIONS

TARGET = "RekognitionService.ListCollections"


@pytest.fixture
def keys(tmp_path):
    return Keys.beside(tmp_path / "engine.db")


@pytest.fixture
def url(engine_server, keys):
    return engine_server(keys=keys).url


def signing(url, access_key_id="AKIDEXAMPLE", secret="secret", token=None, region="us-east-1", **config):
    return boto3.client(
        "rekognition",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def by(key, url, **arguments):
    return signing(url, key.access_key_id, key.secret_access_key, **arguments)


def refused(call, **parameters):
    """Code and text of the error."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RequestId"]
    return answer["Error"]["Code"], answer["Error"]["Message"]


def sent(url, headers, body=b"{}", path="/"):
    """Status and decoded answer of a request as it stands."""
    answer = urllib3.request("POST", url + path, headers=headers, body=body, retries=False)
    return answer.status, json.loads(answer.data)


def signed(url, key, body=b"{}", path="/", **headers):
    """The headers of a ListCollections that botocore signed."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET, **headers}
    request = AWSRequest("POST", url + path, headers=headers, data=body)
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credentials, "rekognition", "us-east-1").add_auth(request)
    return dict(request.headers)


def at(monkeypatch, moment):
    """Let botocore sign as if it were another time."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)


def test_until_a_key_is_created_anybody_on_this_machine_may_call(url):
    assert signing(url).list_collections()["CollectionIds"] == []
    assert signing(url, signature_version=botocore.UNSIGNED).list_collections()["CollectionIds"] == []


def test_once_there_is_a_key_a_running_server_asks_for_it(url, keys):
    unsigned = signing(url, signature_version=botocore.UNSIGNED)
    unsigned.list_collections()
    key = keys.create()
    assert refused(unsigned.list_collections)[0] == "MissingAuthenticationTokenException"
    assert refused(signing(url).list_collections) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    assert by(key, url).list_collections()["CollectionIds"] == []
    assert by(key, url, region="eu-central-1").list_collections()["CollectionIds"] == []


def test_a_server_that_others_can_reach_is_never_open(engine_server):
    client = signing(engine_server(listener=listen("0.0.0.0")).url)
    assert refused(client.list_collections)[0] == "UnrecognizedClientException"


def test_a_revoked_key_is_unknown_at_once_and_no_key_left_does_not_open_the_door(url, keys):
    key = keys.create()
    client = by(key, url)
    client.list_collections()
    assert keys.revoke(key.access_key_id)
    assert refused(client.list_collections)[0] == "UnrecognizedClientException"
    keys.path.unlink()
    assert refused(client.list_collections)[0] == "UnrecognizedClientException"


def test_a_wrong_secret_does_not_sign(url, keys):
    key = keys.create()
    code, message = refused(signing(url, key.access_key_id, "wrong").list_collections)
    assert code == "InvalidSignatureException"
    assert message.startswith(
        "The request signature we calculated does not match the signature you provided."
    )


def test_a_session_token_is_refused_since_no_key_has_one(url, keys):
    client = by(keys.create(), url, token="of another account")
    assert refused(client.list_collections)[0] == "UnrecognizedClientException"


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_may_be_a_little_off(url, keys, monkeypatch, minutes):
    key = keys.create()
    at(monkeypatch, datetime.now(UTC) + timedelta(minutes=minutes))
    assert by(key, url).list_collections()["CollectionIds"] == []


@pytest.mark.parametrize(
    ("minutes", "said"), [(-16, "Signature expired: "), (16, "Signature not yet current: ")]
)
def test_a_clock_may_not_be_far_off(url, keys, monkeypatch, minutes, said):
    key = keys.create()
    at(monkeypatch, datetime.now(UTC) + timedelta(minutes=minutes))
    code, message = refused(by(key, url).list_collections)
    assert code == "InvalidSignatureException"
    assert message.startswith(said)


def test_what_is_signed_passes_with_a_query_and_odd_spaces_and_a_hash_of_the_body(url, keys):
    key = keys.create()
    assert sent(url, signed(url, key))[0] == 200
    path = "/?b=2&a=1&a&c=%20"
    assert sent(url, signed(url, key, path=path), path=path)[0] == 200
    assert sent(url, signed(url, key, **{"X-Amz-Meta": "a   b \t c"}))[0] == 200
    digest = hashlib.sha256(b"{}").hexdigest()
    assert sent(url, signed(url, key, **{"X-Amz-Content-SHA256": digest}))[0] == 200


def tampered_body(headers):
    return headers, b'{"MaxResults": 1}', "/"


def tampered_target(headers):
    return {**headers, "X-Amz-Target": "RekognitionService.DeleteCollection"}, b"{}", "/"


def tampered_date(headers):
    moment = datetime.now(UTC) - timedelta(minutes=5)
    return {**headers, "X-Amz-Date": moment.strftime("%Y%m%dT%H%M%SZ")}, b"{}", "/"


def added_header(headers):
    return {**headers, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, b"{}", "/"


def added_query(headers):
    return headers, b"{}", "/?a=1"


def dropped_header(headers):
    headers = {name: value for name, value in headers.items() if name != "Content-Type"}
    return headers, b"{}", "/"


def unsigned_target(headers):
    authorization = headers["Authorization"].replace(";x-amz-target", "")
    return {**headers, "Authorization": authorization}, b"{}", "/"


def no_signature_at_all(headers):
    authorization, _, signature = headers["Authorization"].rpartition("=")
    return {**headers, "Authorization": f"{authorization}={'é' * len(signature)}"}, b"{}", "/"


@pytest.mark.parametrize(
    "tamper",
    [
        tampered_body,
        tampered_target,
        tampered_date,
        added_header,
        added_query,
        dropped_header,
        unsigned_target,
        no_signature_at_all,
    ],
)
def test_what_was_changed_after_signing_is_refused(url, keys, tamper):
    headers, body, path = tamper(signed(url, keys.create()))
    headers = {name: value.encode("utf-8") for name, value in headers.items()}
    status, answer = sent(url, headers, body, path)
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")


def test_a_hash_that_is_signed_must_be_that_of_the_body(url, keys):
    key = keys.create()
    for given in ("UNSIGNED-PAYLOAD", hashlib.sha256(b"other").hexdigest()):
        status, answer = sent(url, signed(url, key, **{"X-Amz-Content-SHA256": given}))
        assert (status, answer["__type"]) == (400, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("/rekognition/", "/s3/", "InvalidSignatureException"),
        ("/aws4_request", "/aws5_request", "InvalidSignatureException"),
        ("/us-east-1/", "/us-east-1/x/", "IncompleteSignatureException"),
        ("/us-east-1/", "//", "IncompleteSignatureException"),
        ("/us-east-1/", "/us-west-1/", "InvalidSignatureException"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "IncompleteSignatureException"),
        ("Signature=", "Signed=", "IncompleteSignatureException"),
        ("SignedHeaders=", "Headers=", "IncompleteSignatureException"),
        ("Credential=", "Who=", "IncompleteSignatureException"),
        ("host;", "host;not-there;", "InvalidSignatureException"),
        ("host;", "", "InvalidSignatureException"),
        ("/2", "/1", "InvalidSignatureException"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_in_words(url, keys, old, new, code):
    headers = signed(url, keys.create())
    assert old in headers["Authorization"]
    status, answer = sent(url, {**headers, "Authorization": headers["Authorization"].replace(old, new, 1)})
    assert (status, answer["__type"]) == (400, code)
    assert answer["message"]


@pytest.mark.parametrize("moment", [None, "now", "20261399T000000Z", "2026-11-21T07:39:23Z"])
def test_a_date_that_is_none_is_refused(url, keys, moment):
    headers = signed(url, keys.create())
    del headers["X-Amz-Date"]
    if moment:
        headers["X-Amz-Date"] = moment
        authorization = headers["Authorization"]
        date = authorization.partition("/")[2].partition("/")[0]
        headers["Authorization"] = authorization.replace(f"/{date}/", f"/{moment[:8]}/")
    status, answer = sent(url, headers)
    assert (status, answer["__type"]) == (400, "IncompleteSignatureException")


# --- what a key may do


def test_a_key_limited_to_collections_sees_no_other(url, keys, photos, engine):
    everything = by(keys.create(), url)
    everything.create_collection(CollectionId="visitors")
    key = keys.create(name="door", collections=["staff"])
    door = by(key, url)
    door.create_collection(CollectionId="staff")
    assert door.list_faces(CollectionId="staff")["Faces"] == []
    assert door.detect_faces(Image={"Bytes": photos["nobody"]})["FaceDetails"] == []
    account = engine.arn("").split(":")[4]
    assert refused(door.list_faces, CollectionId="visitors") == (
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:user/door is not authorized to perform: rekognition:ListFaces "
        f"on resource: {engine.arn('visitors')}",
    )
    assert refused(door.list_faces, CollectionId="never-made")[0] == "AccessDeniedException"
    assert refused(door.delete_collection, CollectionId="visitors")[0] == "AccessDeniedException"
    door.tag_resource(ResourceArn=engine.arn("staff"), Tags={"a": "b"})
    for arn in (engine.arn("visitors"), engine.arn("staff/visitors"), "arn:aws:rekognition:collection/staff"):
        assert refused(door.list_tags_for_resource, ResourceArn=arn)[0] == "AccessDeniedException"
    code, message = refused(door.list_collections)
    assert code == "AccessDeniedException"
    assert message.endswith("rekognition:ListCollections on resource: *")
    assert everything.list_collections()["CollectionIds"] == ["visitors", "staff"]


def test_a_read_only_key_changes_nothing(url, keys, photos):
    keys.create()
    reader = by(keys.create(read_only=True), url)
    code, message = refused(reader.create_collection, CollectionId="staff")
    assert code == "AccessDeniedException"
    assert "rekognition:CreateCollection on resource: arn:aws:rekognition:us-east-1:" in message
    image = {"Bytes": photos["nobody"]}
    assert refused(reader.index_faces, CollectionId="staff", Image=image)[0] == "AccessDeniedException"
    assert reader.list_collections()["CollectionIds"] == []
    assert refused(reader.list_faces, CollectionId="staff")[0] == "ResourceNotFoundException"


def test_who_may_not_is_not_told_whether_what_they_asked_would_be_right(url, keys):
    reader = by(keys.create(read_only=True), url)
    assert refused(reader.delete_collection, CollectionId="never-made")[0] == "AccessDeniedException"


def test_an_operation_is_said_to_read_exactly_if_its_name_says_so():
    reads = ("Compare", "Describe", "Detect", "Get", "List", "Search")
    assert {name for name in OPERATIONS if name.startswith(reads)} == set(OPERATIONS) & READING


# --- the file of keys


def test_keys_look_like_those_of_aws_and_no_two_are_alike(keys):
    made = [keys.create() for _ in range(5)]
    for key in made:
        assert len(key.access_key_id) == 20 and key.access_key_id.startswith("AKIA")
        assert len(key.secret_access_key) == 40
        assert key.secret_access_key not in repr(key)
    assert len({key.access_key_id for key in made} | {key.secret_access_key for key in made}) == 10


def test_the_file_of_keys_is_for_its_owner_alone_and_forgets_a_revoked_secret(keys):
    assert keys.all() == [] and not keys.path.exists()
    first, second = keys.create("first", ["a", "b", "a"]), keys.create(read_only=True)
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert [file.name for file in keys.path.parent.iterdir() if "keys" in file.name] == ["engine-keys.db"]
    assert keys.all() == [first, second]
    assert first.collections == ("a", "b") and second.collections is None
    assert first.secret_access_key.encode() in keys.path.read_bytes()
    assert keys.revoke(first.access_key_id)
    assert not keys.revoke(first.access_key_id)
    assert not keys.revoke("AKIAUNKNOWN")
    assert first.secret_access_key.encode() not in keys.path.read_bytes()
    revoked, kept = keys.all()
    assert revoked.revoked_at and not revoked.secret_access_key
    assert kept == second
    assert keys.find(first.access_key_id) is None and keys.find(second.access_key_id) == second


def test_keys_that_several_programs_create_at_once_are_all_there_and_whole(keys):
    code = (
        "import sys; from pathlib import Path; from facesearch.engine.http.keys import Keys\n"
        "for _ in range(20): print(Keys(Path(sys.argv[1])).create().access_key_id)"
    )
    command = [sys.executable, "-c", code, str(keys.path)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    while any(program.poll() is None for program in programs):
        assert all(len(key.secret_access_key) == 40 for key in keys.all())
    made = {line for program in programs for line in program.communicate()[0].split()}
    assert {key.access_key_id for key in keys.all()} == made
    assert len(made) == 40


def test_nothing_can_be_revoked_where_nothing_was_created(keys):
    assert not keys.revoke("AKIAUNKNOWN")
    keys.path.touch()
    assert not keys.revoke("AKIAUNKNOWN")
    assert keys.all() == []
    assert not keys.ever_created()


def test_a_file_that_holds_something_else_is_refused_and_its_server_has_a_fault(url, keys, caplog):
    keys.path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match="cannot be used as the file of access keys"):
        keys.create()
    with pytest.raises(ClientError) as caught:
        signing(url).list_collections()
    assert caught.value.response["Error"]["Code"] == "InternalServerError"
    assert "something else" not in str(caught.value)
    caplog.clear()


def test_a_database_of_something_else_is_refused(keys, tmp_path, engine):
    with pytest.raises(StoreError, match="no file of access keys"):
        Keys(tmp_path / "engine.db").all()
