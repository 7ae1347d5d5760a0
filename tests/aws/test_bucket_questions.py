"""Before a bucket is emptied or deleted a person at a terminal is asked, and told what would go."""

import os
import pty
import subprocess
import sys

import boto3
import pytest


def ask(command, typed):
    """What the command says to somebody at a terminal who types that, and its exit code."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "facesearch", "bucket", command, "photos"],
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    return done.stderr, done.returncode


@pytest.mark.parametrize(("command", "typed", "code"), [("empty", "n\n", 1), ("delete", "y\n", 0)])
def test_a_person_is_told_what_would_go_and_decides(
    credentials, elsewhere, monkeypatch, command, typed, code
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", elsewhere)
    s3 = boto3.client("s3", endpoint_url=elsewhere, region_name="us-east-1")
    s3.create_bucket(Bucket="photos")
    for key in ("a", "b"):
        s3.put_object(Bucket="photos", Key=key, Body=b"1")
    said, ended = ask(command, typed)
    assert "2 versions and delete markers" in said and "cannot be undone" in said and "Go on?" in said
    there = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert (ended, there) == (code, ["photos"] if code else [])
    for bucket in there:
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
        s3.delete_bucket(Bucket=bucket)
