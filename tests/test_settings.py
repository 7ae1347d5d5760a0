import os

import pytest

from facesearch.errors import ConfigurationError
from facesearch.settings import DESCRIPTIONS, Settings, one_thread_each, without_password


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path


def resolve(folder, arguments=None, **environ):
    environ = {"FACESEARCH_HOME": str(folder / "home"), **environ}
    return Settings.resolve(arguments, environ, folder / "here")


def test_without_anything_said_the_engine_is_embedded_and_everything_is_below_home(folder):
    settings = resolve(folder)
    assert settings.engine == "embedded"
    assert settings.database_url == f"sqlite:///{folder / 'home' / 'facesearch.db'}"
    assert settings.engine_store == folder / "home" / "engine.db"
    assert settings.cache == folder / "home" / "cache"


def test_credentials_in_the_environment_alone_do_not_send_anyones_face_to_aws(folder):
    assert resolve(folder, AWS_PROFILE="prod", AWS_ACCESS_KEY_ID="AKIA").engine == "embedded"


def test_argument_beats_environment_beats_file_beats_default(folder):
    (folder / "here" / "facesearch.toml").write_text("jobs = 2\nengine = 'aws'\nread_timeout = 9\n")
    settings = resolve(folder, {"jobs": 4, "engine": None}, FACESEARCH_JOBS="3", FACESEARCH_MAX_ATTEMPTS="7")
    assert (settings.jobs, settings.engine, settings.read_timeout, settings.connect_timeout) == (
        4,
        "aws",
        9.0,
        5.0,
    )
    origins = {name: origin for name, (_, origin) in settings.shown().items()}
    assert origins["jobs"] == "argument"
    assert origins["max_attempts"] == "FACESEARCH_MAX_ATTEMPTS"
    assert origins["engine"] == str(folder / "here" / "facesearch.toml")
    assert origins["connect_timeout"] == "default"


def test_a_rate_is_a_number_where_it_is_said_and_nothing_where_it_is_not(folder):
    assert (resolve(folder).rate, resolve(folder).shown()["rate"]) == (None, ("", "default"))
    assert resolve(folder, FACESEARCH_RATE="12.5").rate == 12.5


def test_a_file_in_the_home_folder_serves_every_folder_without_one(folder):
    (folder / "home" / "facesearch.toml").write_text("jobs = 5")
    assert resolve(folder).jobs == 5
    (folder / "here" / "facesearch.toml").write_text("")
    assert resolve(folder).origins["jobs"] == "default"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"FACESEARCH_JOBS": "many"}, "jobs .from FACESEARCH_JOBS. must be a number"),
        ({"FACESEARCH_JOBS": "0"}, "jobs .from FACESEARCH_JOBS. must be more than 0"),
        ({"FACESEARCH_RATE": "fast"}, "rate .from FACESEARCH_RATE. must be a number"),
        ({"FACESEARCH_RATE": "0"}, "rate .from FACESEARCH_RATE. must be more than 0"),
        ({"FACESEARCH_READ_TIMEOUT": "nan"}, "must be more than 0"),
        ({"FACESEARCH_READ_TIMEOUT": "inf"}, "must be more than 0"),
        ({"FACESEARCH_DETAIL": "finest"}, "detail .from FACESEARCH_DETAIL. must be one of fast, auto, high"),
        ({"FACESEARCH_ENGINE": "azure"}, "embedded, aws or a URL"),
        ({"FACESEARCH_ENGINE": "ftp://x"}, "embedded, aws or a URL"),
        ({"FACESEARCH_ENGINE": "http://"}, "embedded, aws or a URL"),
        ({"FACESEARCH_ENGINE": "http://[::1"}, "embedded, aws or a URL"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name_and_origin(folder, variables, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        resolve(folder, **variables)


@pytest.mark.parametrize("text", ["jobs = ", "colour = 3", "home = '/'", "jobs = []", "jobs = true", b"\xff"])
def test_a_broken_file_is_refused_by_name(folder, text):
    path = folder / "here" / "facesearch.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match=r"facesearch\.toml"):
        resolve(folder)


def test_an_argument_that_is_no_setting_is_refused(folder):
    with pytest.raises(ConfigurationError, match="no such setting: colour"):
        resolve(folder, {"colour": "red"})


def test_a_password_is_never_shown(folder):
    settings = resolve(folder, {"database_url": "postgresql+psycopg://me:p%40ss@host/db"})
    assert settings.shown()["database_url"][0] == "postgresql+psycopg://me:***@host/db"
    assert without_password("http://[::1") == "***"
    assert settings.shown().keys() == DESCRIPTIONS.keys()


def test_a_process_beside_others_uses_one_thread_unless_the_environment_says_how_many(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    environment = one_thread_each()
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"]) == ("1", "3")
    assert environment["PATH"] == os.environ["PATH"]


def test_a_home_is_made_absolute_and_knows_the_users_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    assert Settings(home="here").home == folder / "here"
    assert Settings(home="~/here").home == folder / "here"
