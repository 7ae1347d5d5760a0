import subprocess
import sys

import pytest
from botocore.loaders import Loader

from facesearch import FaceSearch
from facesearch.engine import protocol
from facesearch.errors import ConfigurationError, CredentialsError


def test_an_engine_store_that_is_another_programs_file_is_left_alone(home):
    (home / "engine.db").write_text("a diary")
    with FaceSearch.open() as fs, pytest.raises(ConfigurationError, match=r"engine\.db"):
        list(fs.collections())
    assert (home / "engine.db").read_text() == "a diary"


def test_weights_that_are_not_installed_are_named_with_how_to_install_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_recognition_models", None)  # as Python marks what is not there
    with FaceSearch.open() as fs, pytest.raises(ConfigurationError, match="pip install"):
        list(fs.collections())


def test_the_embedded_engine_heeds_no_aws_configuration(monkeypatch, home):
    broken = home / "aws-config"
    broken.write_text("[[[")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with FaceSearch.open() as fs:
        assert list(fs.collections()) == []


def test_the_embedded_engine_is_opened_without_a_look_through_all_services(monkeypatch):
    def listing(*those):
        raise AssertionError("botocore went through the folders of its 400 services")

    protocol.loader.cache_clear()
    protocol.service_model.cache_clear()
    monkeypatch.setattr(Loader, "list_available_services", listing)
    with FaceSearch.open() as fs:
        assert list(fs.collections()) == []


def test_the_embedded_engine_is_opened_without_the_addresses_of_all_services():
    code = (
        "import os, sys\nopened = set()\n"
        "sys.addaudithook(lambda event, about: event == 'open' and opened.add(os.path.basename(str(about[0]))))\n"
        "from facesearch import FaceSearch\n"
        "with FaceSearch.open() as fs:\n    assert list(fs.collections()) == []\n"
        "print(*opened & {'service-2.json.gz', 'endpoints.json', 'endpoints.json.gz'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["service-2.json.gz"]


def test_a_profile_that_aws_does_not_know_is_a_credentials_matter(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "of-nobody")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with (
        FaceSearch.open(engine="aws") as fs,
        pytest.raises((CredentialsError, ConfigurationError), match="of-nobody"),
    ):
        list(fs.collections())


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_taken_from_either_variable(monkeypatch, variable):
    monkeypatch.setenv(variable, "eu-west-1")
    with FaceSearch.open(engine="aws") as fs:
        assert fs._gateway._client.meta.region_name == "eu-west-1"
