"""The pytest plugin, as those meet it who have installed facesearch for their own tests."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import facesearch

ROOT = Path(facesearch.__file__).parent.parent

CONSUMER = """
import boto3
import urllib.request

def test_real_matches(rekognition, photos):
    enrolled, visitor = photos
    rekognition.create_collection(CollectionId="staff")
    rekognition.index_faces(CollectionId="staff", Image={"Bytes": enrolled}, ExternalImageId="amara")
    found = rekognition.search_faces_by_image(CollectionId="staff", Image={"Bytes": visitor})
    assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["amara"]

def test_nothing_is_left_of_the_test_before(rekognition):
    assert rekognition.list_collections()["CollectionIds"] == []

def test_code_that_makes_its_own_client_sees_the_same_collections(rekognition):
    rekognition.create_collection(CollectionId="staff")
    assert boto3.client("rekognition").list_collections()["CollectionIds"] == ["staff"]

def client_of(url):
    return boto3.client("rekognition", endpoint_url=url, region_name="us-east-1",
                        aws_access_key_id="any", aws_secret_access_key="any")

def test_the_server_is_a_real_one(rekognition_server, photos):
    assert rekognition_server.startswith("http://127.0.0.1:")
    client = client_of(rekognition_server)
    client.create_collection(CollectionId="staff")
    answer = client.index_faces(CollectionId="staff", Image={"Bytes": photos[0]})
    assert len(answer["FaceRecords"]) == 1
    with urllib.request.urlopen(rekognition_server + "/metrics") as metrics:
        assert b"IndexFaces" in metrics.read()

def test_the_server_starts_afresh_too(rekognition_server):
    assert client_of(rekognition_server).list_collections()["CollectionIds"] == []

def test_both_fixtures_are_doors_to_one_engine(rekognition, rekognition_server):
    rekognition.create_collection(CollectionId="staff")
    with urllib.request.urlopen(rekognition_server + "/metrics") as metrics:
        assert b"collections 1.0" in metrics.read()
"""
CONFTEST = """
import pathlib
import pytest

SAMPLES = pathlib.Path({samples!r})

@pytest.fixture
def photos():
    portrait, visitor = SAMPLES / "people/Amara Okafor/portrait.jpg", SAMPLES / "queries/amara.jpg"
    return portrait.read_bytes(), visitor.read_bytes()
"""
# As by the entry point, whether or not this checkout is installed: it is blocked, and loaded by its module's name.
PLUGIN = ("-p", "no:facesearch", "-p", "facesearch.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def run(pytester, samples):
    # What a run inside this one imports is forgotten after it, and numpy must not be imported twice.
    import facesearch.engine.http.server
    import facesearch.engine.vision.recognizer
    import facesearch.testing  # noqa: F401

    pytester.makeconftest(CONFTEST.format(samples=str(samples)))
    return lambda *arguments: pytester.runpytest_inprocess(*PLUGIN, *arguments)


def test_a_consumers_tests_pass_with_warnings_as_errors(run, pytester):
    pytester.makepyfile(CONSUMER)
    run("-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning").assert_outcomes(passed=6)


def test_the_fixtures_are_listed_with_what_they_are_for(run, pytester):
    listing = run("--fixtures")
    listing.stdout.fnmatch_lines(["*rekognition -- *", "*boto3 client*", "*rekognition_server -- *", "*URL*"])
    listing.stdout.no_fnmatch_line("*_rekognition_engines*")


def test_a_project_may_have_a_fixture_of_its_own_by_that_name(run, pytester):
    pytester.makepyfile(
        """
        import boto3
        import pytest
        from facesearch.testing import mock_rekognition

        @pytest.fixture
        def rekognition():
            with mock_rekognition(errors={"ListCollections": "AccessDeniedException"}):
                yield boto3.client("rekognition")

        def test_it_fails_as_asked(rekognition):
            with pytest.raises(rekognition.exceptions.AccessDeniedException):
                rekognition.list_collections()
        """
    )
    run().assert_outcomes(passed=1)


def test_a_server_without_its_packages_says_what_to_install(run, pytester, monkeypatch):
    monkeypatch.delitem(sys.modules, "facesearch.engine.http.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)  # as Python marks what is not there
    pytester.makepyfile("def test_it(rekognition_server): ...")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["uvicorn is missing: pip install 'facesearch?serve?'"])


def test_loading_the_plugin_loads_nothing_heavy():
    code = (
        "import sys, facesearch.pytest_plugin\n"
        "heavy = {'boto3', 'botocore', 'numpy', 'onnxruntime', 'PIL', 'sqlalchemy', 'uvicorn', 'starlette'}\n"
        "print(sorted(heavy & set(sys.modules)), [m for m in sys.modules if m.startswith('facesearch.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['facesearch.pytest_plugin']"


def test_pytest_finds_the_plugin_in_an_installed_facesearch(pytester, monkeypatch):
    """A distribution that has our entry points is put on the path, as an installer would do it."""
    installed = pytester.mkdir("site") / "facesearch_as_installed-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: facesearch-as-installed\nVersion: 1\n")
    ((name, module),) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "pytest11"
    ].items()
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(installed.parent), str(ROOT)]))
    pytester.makepyfile(
        "def test_it(rekognition): assert rekognition.list_collections()['CollectionIds'] == []"
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)
