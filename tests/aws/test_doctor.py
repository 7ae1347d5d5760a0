"""The doctor: STS and S3 are moto's, what moto lacks (IAM's simulation, Service Quotas) is botocore's Stubber."""

import ast
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

import facesearch.bootstrap
import facesearch.rekognition
from facesearch.app.account import Account
from facesearch.aws.buckets import S3Buckets
from facesearch.aws.cloud import Cloud
from facesearch.cli import main
from facesearch.domain.readiness import Verdict
from facesearch.workflows.doctor import READS, RIGHTS

REGIONS = ["eu-west-1", "us-east-1"]
TPS = "Transactions per second per account for the Amazon Rekognition Image data plane operation"


class AWS:
    """An account whose answers a test sets; what it does not set is refused."""

    def __init__(self, region="eu-west-1"):
        self.clients = {
            service: boto3.client(service, region_name="eu-west-1")
            for service in ("sts", "iam", "s3", "service-quotas", "rekognition")
        }
        self.stubs = {}
        self.cloud = Cloud(region, REGIONS, lambda: "env", self.clients.__getitem__)
        self.account = Account(self.cloud, lambda: S3Buckets(self.clients["s3"]))

    def stub(self, service):
        if service not in self.stubs:
            self.stubs[service] = Stubber(self.clients[service])
            self.stubs[service].activate()
        return self.stubs[service]

    def someone(self, arn):
        answer = {"Account": "123456789012", "Arn": arn, "UserId": "AIDAEXAMPLE"}
        self.stub("sts").add_response("get_caller_identity", answer)

    def decide(self, denied=(), principal=ANY, kinds=("*", "collection"), **more):
        """What IAM's simulation says, of one kind of resource after the other."""
        for on in kinds:
            actions = [right.action for right in RIGHTS if right.on == on]
            results = [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny" if action in denied else "allowed",
                    **(more if action in denied else {}),
                }
                for action in actions
            ]
            self.stub("iam").add_response(
                "simulate_principal_policy",
                {"EvaluationResults": results, "IsTruncated": False},
                {"PolicySourceArn": principal, "ActionNames": actions, "ResourceArns": [ANY]},
            )

    def grant(self, quotas):
        listed = [{"QuotaName": f"{TPS} {name}", "Value": value} for name, value in quotas.items()]
        self.stub("service-quotas").add_response("list_service_quotas", {"Quotas": listed})

    def refuse(self, service, operation, code="AccessDenied"):
        self.stub(service).add_client_error(operation, code, "no", 403)

    def checks(self, *arguments):
        return {check.name: check for check in self.account.examine(*arguments)}


@pytest.fixture
def aws(s3):
    return AWS()


ADA = "arn:aws:iam::123456789012:user/people/ada"
ALL = {"IndexFaces": 5, "SearchFacesByImage": 5, "DetectLabels": 5}


def verdicts(checks):
    return {check.verdict for check in checks.values()}


def test_an_account_that_is_ready_passes_every_check(aws):
    aws.someone(ADA)
    aws.decide(principal=ADA)
    aws.grant({**ALL, "IndexFaces": 50})
    checks = aws.checks()
    assert verdicts(checks) == {Verdict.OK}
    assert checks["region"].found == "eu-west-1"
    assert checks["credentials"].found == f"account 123456789012, {ADA}, found in env"
    assert {name for name in checks if name.startswith("right ")} == {
        f"right {right.action}" for right in RIGHTS if right.on in ("*", "collection")
    }


def test_the_rights_asked_about_are_those_of_the_calls_that_are_made():
    called = set()
    for path in Path(facesearch.rekognition.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if owner == "self._client" and node.func.attr != "get_paginator":
                    called.add(node.func.attr)
                if node.func.attr == "_pages":
                    called.add(node.args[0].value)
    operations = boto3.client("rekognition", region_name="eu-west-1").meta.method_to_api_mapping
    assert {operations[name] for name in called} == {
        right.operation for right in RIGHTS if right.action.startswith("rekognition:")
    }


@pytest.mark.parametrize(
    ("action", "verdict"),
    [("rekognition:IndexFaces", Verdict.FAIL), ("rekognition:CompareFaces", Verdict.WARN)],
)
def test_a_missing_right_is_named_and_what_only_some_commands_need_is_a_warning(aws, action, verdict):
    aws.someone(ADA)
    aws.decide(denied={action})
    aws.grant(ALL)
    check = aws.checks("staff")[f"right {action}"]
    assert check.verdict is verdict
    assert check.found.startswith("implicitDeny (for: ")
    assert check.todo == f"allow {action} in the policies of these credentials"


def test_who_forbids_and_what_could_not_be_known_is_said(aws):
    aws.someone(ADA)
    aws.decide({"rekognition:IndexFaces"}, OrganizationsDecisionDetail={"AllowedByOrganizations": False})
    aws.grant(ALL)
    check = aws.checks()["right rekognition:IndexFaces"]
    assert "by a policy of the organisation" in check.found
    assert "say which with -c" in check.todo

    conditional = AWS()
    conditional.someone(ADA)
    conditional.decide({"rekognition:IndexFaces"}, MissingContextValues=["aws:SourceIp"])
    conditional.grant(ALL)
    check = conditional.checks()["right rekognition:IndexFaces"]
    assert (check.verdict, "unless aws:SourceIp" in check.found) == (Verdict.WARN, True)


def test_the_collection_that_is_named_is_the_one_asked_about(aws):
    aws.someone(ADA)
    for resource in ("*", "arn:aws:rekognition:eu-west-1:123456789012:collection/staff"):
        aws.stub("iam").add_response(
            "simulate_principal_policy",
            {"EvaluationResults": []},
            {"PolicySourceArn": ADA, "ActionNames": ANY, "ResourceArns": [resource]},
        )
    aws.grant(ALL)
    assert aws.checks("staff")["right rekognition:IndexFaces"].verdict is Verdict.WARN
    aws.stub("iam").assert_no_pending_responses()


def test_a_custom_labels_model_of_the_settings_is_asked_about(aws):
    aws.someone(ADA)
    aws.decide({"rekognition:DetectCustomLabels"}, kinds=("*", "collection", "model"))
    aws.grant(ALL)
    check = aws.checks(None, None, f"{ADA}/model")["right rekognition:DetectCustomLabels"]
    assert (check.verdict, check.todo) == (
        Verdict.WARN,
        "allow rekognition:DetectCustomLabels in the policies of these credentials",
    )


def test_a_role_is_asked_about_with_its_path(aws):
    role = "arn:aws:iam::123456789012:role/aws-reserved/sso/Dev"
    aws.someone("arn:aws:sts::123456789012:assumed-role/Dev/ada@example.com")
    described = {"Path": "/", "RoleName": "Dev", "RoleId": "A" * 16, "Arn": role, "CreateDate": "2026-01-01"}
    aws.stub("iam").add_response("get_role", {"Role": described}, {"RoleName": "Dev"})
    aws.decide(principal=role)
    aws.grant(ALL)
    assert aws.checks()["right rekognition:IndexFaces"].verdict is Verdict.OK


def test_a_role_that_may_not_look_at_itself_is_asked_about_by_its_name(aws):
    aws.someone("arn:aws-cn:sts::123456789012:assumed-role/Dev/i-1")
    aws.refuse("iam", "get_role")
    aws.decide(principal="arn:aws-cn:iam::123456789012:role/Dev")
    aws.grant(ALL)
    assert aws.checks()["right rekognition:IndexFaces"].verdict is Verdict.OK


@pytest.mark.parametrize("who", [ADA, "arn:aws:sts::123456789012:federated-user/ada"])
def test_where_iam_does_not_simulate_only_free_calls_are_tried(aws, who):
    aws.someone(who)
    if who == ADA:
        aws.refuse("iam", "simulate_principal_policy")
    tried = aws.stub("rekognition")  # raises for any call that is not set here: none is billed
    tried.add_client_error("describe_collection", "ResourceNotFoundException", "no", 400)
    tried.add_response("list_collections", {"CollectionIds": []}, {"MaxResults": 1})
    tried.add_client_error("list_faces", "AccessDeniedException", "no", 400)
    tried.add_client_error("list_users", "InternalServerError", "no", 500)
    aws.grant(ALL)
    checks = aws.checks()
    assert "IAM does not simulate them" in checks["rights by simulation"].found
    assert {operation: checks[f"right rekognition:{operation}"].verdict for operation in READS} == {
        "DescribeCollection": Verdict.OK,
        "ListCollections": Verdict.OK,
        "ListFaces": Verdict.FAIL,
        "ListUsers": Verdict.WARN,
    }
    assert checks["right rekognition:IndexFaces"].found.startswith("not checked")
    tried.assert_no_pending_responses()


def test_what_is_not_aws_is_told_in_short_without_its_page(credentials, monkeypatch):
    class Page(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            page = b"<!doctype html><p>" + b"no such page " * 1000
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            """Says nothing: stderr is what the tests look at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("FACESEARCH_MAX_ATTEMPTS", "1")
        result = CliRunner().invoke(main, ["aws", "doctor", "-o", "json"])
        server.shutdown()
    assert result.exit_code == 4, result.stderr
    check = json.loads(result.stdout)["checks"][-1]
    assert (check["check"], check["verdict"]) == ("credentials", "fail")
    assert len(check["found"]) <= 301 and "is not AWS" in check["found"]


def test_the_root_user_may_do_everything_and_should_not(aws):
    aws.someone("arn:aws:iam::123456789012:root")
    aws.grant(ALL)
    checks = aws.checks()
    assert checks["credentials"].verdict is Verdict.WARN
    assert checks["right rekognition:IndexFaces"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("granted", "verdict", "todo"),
    [
        (50, Verdict.OK, None),
        (200, Verdict.OK, "set FACESEARCH_RATE=200"),
        (5, Verdict.WARN, "set FACESEARCH_RATE=5"),
    ],
)
def test_a_quota_is_held_against_the_table(aws, granted, verdict, todo):
    aws.someone(ADA)
    aws.decide()
    aws.grant({**ALL, "IndexFaces": granted, "SearchFaces": 1})  # the table has 50 for eu-west-1
    check = aws.checks()["quota IndexFaces"]
    assert (check.verdict, check.todo) == (verdict, todo)


def test_a_quota_is_found_by_the_metric_that_counts_it_whatever_it_is_called(aws):
    aws.someone(ADA)
    aws.decide()
    aws.stub("service-quotas").add_response(
        "list_service_quotas",
        {
            "Quotas": [
                {
                    "QuotaName": TPS,
                    "Value": 50,
                    "UsageMetric": {"MetricDimensions": {"Resource": "IndexFaces"}},
                },
                {"QuotaName": "Faces in a collection of IndexFaces", "Value": 20_000_000},
            ]
        },
    )
    checks = aws.checks()
    assert checks["quota IndexFaces"].found == "50 calls a second"
    assert checks["quota DetectLabels"].verdict is Verdict.WARN


def test_quotas_that_may_not_be_seen_are_a_warning(aws):
    aws.someone(ADA)
    aws.decide()
    aws.refuse("service-quotas", "list_service_quotas", "AccessDeniedException")
    check = aws.checks()["quotas"]
    assert check.verdict is Verdict.WARN
    assert "servicequotas:ListServiceQuotas" in check.todo


@pytest.mark.parametrize(
    ("region", "verdict"), [("eu-west-1", Verdict.OK), ("eu-central-1", Verdict.FAIL), (None, Verdict.FAIL)]
)
def test_a_bucket_must_be_there_and_where_rekognition_is(s3, region, verdict):
    aws = AWS()
    if region:
        there = boto3.client("s3", region_name=region)
        there.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": region})
    aws.someone(ADA)
    aws.decide(kinds=("*", "collection", "bucket", "objects"))
    aws.grant(ALL)
    checks = aws.checks(None, "photos")
    assert checks["bucket photos"].verdict is verdict
    assert checks["right s3:GetObject"].verdict is Verdict.OK
    if region == "eu-central-1":
        assert "AWS_REGION=eu-central-1" in checks["bucket photos"].todo


def test_what_cannot_be_a_bucket_is_refused_before_any_call(credentials):
    result = CliRunner().invoke(main, ["aws", "doctor", "--bucket", "arn:aws:s3:::photos"])
    assert result.exit_code == 2
    assert "cannot be the name of a bucket" in result.stderr


def test_another_place_that_is_asked_instead_of_aws_is_told(credentials):
    def client(service):
        return boto3.client(service, region_name="us-east-1", endpoint_url="http://127.0.0.1:9")

    assert Cloud("us-east-1", REGIONS, lambda: "env", client).endpoint("rekognition") == "http://127.0.0.1:9"


@contextmanager
def in_place_of_aws(aws, monkeypatch):
    @contextmanager
    def opened(_settings):
        yield aws.account

    monkeypatch.setattr(facesearch.bootstrap, "open_account", opened)
    yield lambda *arguments: CliRunner().invoke(main, ["aws", "doctor", *arguments])


def test_the_command_tells_each_check_and_exits_with_one_when_one_failed(aws, monkeypatch):
    aws.someone(ADA)
    aws.decide({"rekognition:IndexFaces"})
    aws.grant(ALL)
    with in_place_of_aws(aws, monkeypatch) as run:
        result = run("-o", "json", "-c", "staff")
    assert result.exit_code == 1, result.stderr
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["right rekognition:IndexFaces"]["verdict"] == "fail"
    assert result.stderr == "1 check failed\n"


def test_refused_credentials_end_the_checks_with_four(aws, monkeypatch):
    aws.refuse("sts", "get_caller_identity", "ExpiredToken")
    with in_place_of_aws(aws, monkeypatch) as run:
        result = run("-o", "csv")
    assert result.exit_code == 4
    assert [line.split(",")[:2] for line in result.stdout.splitlines()[1:]] == [
        ["region", "ok"],
        ["credentials", "fail"],
    ]


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_ACCESS_KEY_ID"])
def test_without_a_region_or_credentials_no_call_is_made(credentials, monkeypatch, missing):
    monkeypatch.delenv(missing)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = CliRunner().invoke(main, ["aws", "doctor", "-o", "csv"])
    assert result.exit_code == 4, result.stderr
    assert result.stdout.splitlines()[-1].split(",")[1] == "fail"


def test_a_profile_that_is_not_there_is_said_in_words(credentials, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = CliRunner().invoke(main, ["aws", "doctor"])
    assert result.exit_code == 4, result.output
    assert "nobody" in result.stderr and "Traceback" not in result.stderr
