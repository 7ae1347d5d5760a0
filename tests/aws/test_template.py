"""The template of the pipeline: sound by CloudFormation's own rules, and true to the code it deploys."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode import decode_str
from click.testing import CliRunner

import facesearch
from facesearch import aws_lambda
from facesearch.cli import main
from facesearch.settings import DESCRIPTIONS, variable

PATH = Path(facesearch.__file__).parent / "deploy" / "template.yaml"
TEMPLATE, FAULTS = decode_str(PATH.read_text(encoding="utf-8"))
RESOURCES = TEMPLATE["Resources"]


def of_kind(kind):
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == kind}


FUNCTIONS = of_kind("AWS::Lambda::Function")


def test_cloudformations_linter_has_nothing_to_say():
    done = subprocess.run(
        [sys.executable, "-c", "from cfnlint.runner import main; main()", str(PATH)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_command_prints_the_template_as_it_is():
    assert CliRunner().invoke(main, ["aws", "template"]).stdout == PATH.read_text(encoding="utf-8")


def test_it_deploys_each_handler_there_is_and_no_other():
    named = {function["Handler"]["Fn::If"][2] for function in FUNCTIONS.values()}
    images = {function["ImageConfig"]["Fn::If"][1]["Command"][0] for function in FUNCTIONS.values()}
    there = {f"facesearch.aws_lambda.{name}" for name in dir(aws_lambda) if name.endswith("_handler")}
    assert named == images == there
    for handler in named:
        module, _, name = handler.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


def test_the_functions_are_told_only_what_they_listen_to():
    listened = {variable(name) for name in DESCRIPTIONS} | {"FACESEARCH_COLLECTION", "DEAD_LETTER_QUEUE_URL"}
    for function in FUNCTIONS.values():
        told = function["Environment"]["Variables"]
        assert told.keys() <= listened
        assert (told["FACESEARCH_ENGINE"], told["FACESEARCH_HOME"]) == ("aws", "/tmp/facesearch")


def test_the_prefixes_that_are_listened_to_are_those_of_the_handlers():
    rules = RESOURCES["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    prefixes = {rule["Filter"]["S3Key"]["Rules"][0]["Value"] for rule in rules}
    documented = set(re.findall(r"_handler\s+(\w+/)", aws_lambda.__doc__))
    assert prefixes == documented
    for result in ("metadata/", "matches/"):
        assert not any(result.startswith(prefix) for prefix in prefixes)  # a result starts nothing


def test_the_bucket_is_closed_encrypted_and_kept():
    bucket = RESOURCES["Bucket"]
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    rule = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_every_queue_gives_up_into_the_dead_letters_and_waits_six_times_the_functions_time():
    for name, queue in of_kind("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True
        if name != "DeadLetterQueue":
            assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
            assert queue["VisibilityTimeout"] >= 6 * max(one["Timeout"] for one in FUNCTIONS.values())
    for mapping in of_kind("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_alarm_and_a_log_that_ends(name):
    watched = [one["Dimensions"][0]["Value"] for one in of_kind("AWS::CloudWatch::Alarm").values()]
    assert {"Ref": name} in watched
    log = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert RESOURCES[log]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_something_given_up_raises_an_alarm():
    watched = [one["Dimensions"][0]["Value"] for one in of_kind("AWS::CloudWatch::Alarm").values()]
    assert {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]} in watched
