from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert
from sqlalchemy.exc import IntegrityError

from facesearch.domain import PersonSpec
from facesearch.errors import ConfigurationError, DatabaseError
from facesearch.records import engines
from facesearch.records.database import Database, revision, upgrade
from facesearch.records.tables import HEAD, PEOPLE
from facesearch.shipped import shipped


def names(database):
    with database.read() as records:
        return [summary.person.name for summary in records.people()]


def test_a_block_that_ends_well_is_committed(database, url):
    with database.begin() as records:
        records.resolve_people([PersonSpec("Anna")])
    with closing(Database(url)) as another:
        assert names(another) == ["Anna"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing_behind(database, failure):
    with pytest.raises(failure), database.begin() as records:
        records.resolve_people([PersonSpec("Anna")])
        raise failure
    assert names(database) == []


def test_a_block_that_only_reads_commits_nothing(database):
    if database._address.path is None:
        with pytest.raises(DatabaseError, match="read-only"), database.read() as records:
            records.resolve_people([PersonSpec("Anna")])
    else:
        with database.read() as records:
            records.resolve_people([PersonSpec("Anna")])
    assert names(database) == []


def test_a_mistake_in_a_statement_of_ours_is_not_called_the_users(database):
    with pytest.raises(IntegrityError), database.begin() as records:
        records._connection.execute(insert(PEOPLE), {"id": "nameless", "name": None, "attributes": {}})
    assert names(database) == []


def test_reading_keeps_no_writer_waiting_and_sees_one_moment(database):
    with database.begin() as records:
        records.resolve_people([PersonSpec("Anna"), PersonSpec("Bob")])
    with database.read() as records:
        everyone = records.people()
        assert next(everyone).person.name == "Anna"
        with database.begin() as writing:
            writing.resolve_people([PersonSpec("Zoe")])
        assert [summary.person.name for summary in everyone] == ["Bob"]
        assert records.find_people("Zoe") == []
    assert names(database) == ["Anna", "Bob", "Zoe"]


def test_an_iteration_that_is_left_early_lets_go_of_the_database(database):
    with database.begin() as records:
        records.resolve_people([PersonSpec(str(number)) for number in range(2_500)])
        left = records.people()
        assert next(left).person.name == "0"
    with database.begin() as records:
        records.resolve_people([PersonSpec("one more")])
    left.close()


KILLED_INSIDE = """
import os, signal, sys
from facesearch.domain import PersonSpec
from facesearch.records.database import Database
with Database(sys.argv[1]).begin() as records:
    records.resolve_people([PersonSpec(str(n)) for n in range(3000)])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_inside_a_block_leaves_nothing_behind(database, url):
    run = subprocess.run(
        [sys.executable, "-c", KILLED_INSIDE, url], cwd=shipped("migrations").parent, check=False
    )
    assert run.returncode == -signal.SIGKILL
    assert names(database) == []
    with database.begin() as records:
        records.resolve_people([PersonSpec("Anna")])


def test_the_file_and_the_folder_of_a_new_sqlite_database_are_for_the_owner_alone(tmp_path):
    path = tmp_path / "home" / "records.db"
    mask = os.umask(0)
    try:
        with closing(Database(f"sqlite:///{path}")) as database, database.begin():
            modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == {"records.db": 0o600, "records.db-wal": 0o600, "records.db-shm": 0o600}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_is_understood_under_its_three_names(make_postgres, scheme):
    _, _, rest = make_postgres().partition("://")
    assert upgrade(f"{scheme}://{rest}") == HEAD
    with closing(Database(f"{scheme}://{rest}")) as database:
        assert names(database) == []


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:secret@host/db",
        "postgresql+asyncpg://user:secret@host/db",
        "postgresql://user:secret@host:port/db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:x.db?uri=true",
        "sqlite:///nul\0.db",
        "sqlite://host/x.db",
        "records.db",
        "",
    ],
)
@pytest.mark.parametrize("use", [Database, upgrade, revision])
def test_a_url_of_another_kind_is_refused_with_the_two_that_work(url, use):
    with pytest.raises(ConfigurationError, match=r"sqlite:///.* and postgresql\+psycopg://") as caught:
        use(url)
    assert "secret" not in str(caught.value)


def test_a_relative_path_and_the_home_folder_are_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    Database("sqlite:///here.db").close()
    Database("sqlite:///~/there.db").close()
    assert (tmp_path / "here.db").is_file()
    assert (tmp_path / "me" / "there.db").is_file()


def test_a_server_that_refuses_the_password_is_named_without_it():
    url = "postgresql://anna:s3cret@127.0.0.1:9/records"
    for use in (Database, upgrade, revision):
        with pytest.raises(DatabaseError, match=r"Postgres database records on 127\.0\.0\.1") as caught:
            use(url)
        assert "s3cret" not in str(caught.value)


def test_a_password_that_the_server_repeats_is_hidden(make_postgres):
    url = make_postgres().replace("postgres:@", "postgres:s3cret@").replace("?", "s3cret?")
    with pytest.raises(DatabaseError, match=r'database ".*\*\*\*" does not exist') as caught:
        upgrade(url)
    assert "s3cret" not in str(caught.value).partition(":")[2]


def test_a_missing_driver_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseError, match=r"pip install 'facesearch\[postgres\]'"):
        Database("postgresql://localhost/records")


def test_a_file_that_is_not_a_database_is_named(tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8" * 2_000)
    with pytest.raises(DatabaseError, match=r"holiday\.jpg: it is not a SQLite database: name another file"):
        Database(f"sqlite:///{path}")


@pytest.mark.parametrize("place", ["folder", "file/records.db"])
def test_a_place_that_can_hold_no_file_is_named(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(
        DatabaseError, match=f"cannot open the records in .*{place}: .*FACESEARCH_DATABASE_URL"
    ):
        Database(f"sqlite:///{tmp_path / place}")


def sqlite_database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'records.db'}")


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path):
    with closing(sqlite_database(tmp_path)) as database:
        with database.begin() as records:
            records.resolve_people([PersonSpec("Anna")])

        @event.listens_for(database._engine, "checkout")
        def leave_no_room(connection, *_):
            connection.execute("PRAGMA max_page_count = 1").close()

        with (
            pytest.raises(DatabaseError, match="the disk is full: free some space"),
            database.begin() as records,
        ):
            records.resolve_people([PersonSpec("x" * 100_000)])
        assert names(database) == ["Anna"]


def test_a_command_that_writes_for_too_long_is_told_apart(database, url, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    with closing(Database(url)) as another, database.begin():
        with pytest.raises(DatabaseError, match="another command has been writing"), another.begin():
            raise AssertionError("the block must not run")
        assert names(another) == []


def test_a_damaged_file_is_told(tmp_path):
    with closing(sqlite_database(tmp_path)) as database, database.begin() as records:
        records.resolve_people([PersonSpec("x" * 5_000 + str(number)) for number in range(50)])
    path = tmp_path / "records.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8_192] + b"\x55" * (len(whole) - 8_192))
    with pytest.raises(DatabaseError, match=r"records\.db: it is damaged: restore it"):
        names(sqlite_database(tmp_path))
