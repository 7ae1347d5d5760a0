"""The AWS SDK for JavaScript, version 3, against the engine, with signatures."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients

PROGRAM = Path(__file__).with_name("rekognition.mjs")


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory):
    """A folder with the SDK in it."""
    npm = shutil.which("npm")
    assert npm, "npm is not installed; it comes with Node"
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "package.json").write_text('{"private": true}')
    quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
    subprocess.run([npm, "install", *quiet, "@aws-sdk/client-rekognition@3"], cwd=folder, check=True)
    return folder


def test_the_javascript_sdk_indexes_lists_searches_uses_users_and_deletes(endpoint, node_modules, portraits):
    photos = {person: [str(photo) for photo in pair] for person, pair in portraits.items()}
    done = subprocess.run(
        ["node", PROGRAM, json.dumps(photos)],
        cwd=node_modules,
        env=endpoint.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["listed"] == list(told["faces"].values())
    assert told["pages"] == 2
    assert told["found"] == {person: [face] for person, face in told["faces"].items()}
    assert told["foundUsers"] == told["found"]  # a user's id is that of its face
    assert told["keptUsers"][0] == told["keptUsers"][1]
    assert set(told["deleted"]) == set(told["faces"].values())
    age = datetime.now(UTC) - datetime.fromisoformat(told["created"])
    assert 0 <= age.total_seconds() < 600
    assert told["missing"] == [True, "The collection id: staff does not exist"]
    assert told["refused"] == "InvalidSignatureException"
