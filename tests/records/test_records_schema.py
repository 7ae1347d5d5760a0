from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from facesearch.errors import DatabaseError
from facesearch.records.database import Database, revision, upgrade
from facesearch.records.engines import Address, make_engine
from facesearch.records.schema import configuration
from facesearch.records.tables import HEAD, METADATA
from facesearch.shipped import shipped


@contextmanager
def connected(url):
    engine = make_engine(Address.parse(url), migrating=True)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def is_of_the_full_text_index(difference):
    """The FTS5 table and those that SQLite keeps for it, which no metadata can describe."""
    return difference[0] == "remove_table" and difference[1].name.startswith("labels_text")


def stamp(url, revision):
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_the_newest_migration_is_the_one_the_program_asks_for():
    assert ScriptDirectory(str(shipped("migrations"))).get_current_head() == HEAD


def test_upgrading_makes_the_tables_and_downgrading_takes_all_of_them_away(empty_url):
    assert revision(empty_url) == (None, HEAD)
    assert upgrade(empty_url) == HEAD
    assert revision(empty_url) == (HEAD, HEAD)
    with connected(empty_url) as connection:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
        assert [one for one in found if not is_of_the_full_text_index(one)] == []
        command.downgrade(configuration(connection), "base")
    with connected(empty_url) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert revision(empty_url) == (None, HEAD)
    assert upgrade(empty_url) == HEAD


def test_upgrading_what_is_up_to_date_changes_nothing(url):
    assert upgrade(url) == upgrade(url) == HEAD


def test_opening_brings_sqlite_up_to_date_and_leaves_postgres_to_its_owner(empty_url):
    if empty_url.startswith("sqlite"):
        Database(empty_url).close()
        assert revision(empty_url) == (HEAD, HEAD)
    else:
        with pytest.raises(
            DatabaseError, match=r"is empty and needs revision .* run `facesearch db upgrade`"
        ):
            Database(empty_url)
        assert revision(empty_url) == (None, HEAD)


def test_asking_for_the_revision_makes_no_file(tmp_path):
    assert revision(f"sqlite:///{tmp_path / 'folder' / 'new.db'}") == (None, HEAD)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_program_is_left_alone(url):
    stamp(url, "9999")
    for opening in (Database, upgrade):
        with pytest.raises(DatabaseError, match=r"newer facesearch .revision 9999.*pip install --upgrade"):
            opening(url)
    assert revision(url) == ("9999", HEAD)


def test_the_sqlite_database_of_another_program_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(DatabaseError, match=r"theirs\.db is the database of another program: name another"):
        Database(url)
    with connected(url) as connection:
        assert inspect(connection).get_table_names() == ["theirs"]
        assert connection.scalar(text("PRAGMA journal_mode")) == "delete"


OPEN = """
import sys
from facesearch.records.database import Database
sys.stdin.read()
Database(sys.argv[1]).close()
"""


def opening(url, *more):
    script = "\n".join([OPEN, *more])
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, url],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=shipped("migrations").parent,
    )


def test_processes_that_open_a_new_sqlite_file_at_once_all_find_it_ready(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'records.db'}"
    processes = [opening(url) for _ in range(5)]
    for process in processes:
        process.stdin.close()  # the starting shot
        process.stdin = None
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 5
    assert revision(url) == (HEAD, HEAD)


def test_threads_that_upgrade_at_once_all_find_it_ready(make_postgres, tmp_path):
    postgres = make_postgres()
    urls = [postgres, postgres, *(f"sqlite:///{tmp_path / name}" for name in ("a.db", "a.db", "b.db"))]
    done = []
    threads = [threading.Thread(target=lambda url=url: done.append(upgrade(url))) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [HEAD] * len(urls)


def test_a_folder_with_odd_characters_holds_records_like_any_other(tmp_path):
    folder = tmp_path / "50% of what? #1 – Ü"
    Database(f"sqlite:///{folder / 'records.db'}").close()
    assert (folder / "records.db").is_file()


def test_opening_what_is_up_to_date_loads_no_alembic(url):
    process = opening(url, "sys.exit('alembic' in sys.modules)")
    assert (process.communicate()[1], process.returncode) == (b"", 0)


def test_a_sqlite_database_is_used_without_loading_what_is_for_postgres(tmp_path):
    use = (
        "with Database(sys.argv[1]).begin() as records:\n    records.add_calls('embedded', {'IndexFaces': 1})\n"
        "sys.exit('sqlalchemy.dialects.postgresql' in sys.modules)"
    )
    url = f"sqlite:///{tmp_path / 'records.db'}"
    upgrade(url)  # the migrations may load what they like
    process = opening(url, use)
    assert (process.communicate()[1], process.returncode) == (b"", 0)
