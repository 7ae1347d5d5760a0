import hashlib

from facesearch.domain.files import FileState, KnownFile
from facesearch.records.unit import CHUNK


def known(
    name, *, size=10, modified_ns=1_700_000_000_123_456_789, inode="65026:18446744073709551615", held="a"
):
    id_ = hashlib.sha256(name.encode()).hexdigest()
    return KnownFile(id_, FileState(size, modified_ns, inode), hashlib.sha256(held.encode()).hexdigest())


def test_what_files_held_is_given_back_by_their_ids(database):
    files = [known(f"{number}.jpg", held=str(number)) for number in range(CHUNK + 5)]
    with database.begin() as records:
        records.remember_files(files)
    with database.read() as records:
        found = records.known_files([*(one.id for one in files), known("never seen").id])
    assert found == {one.id: one for one in files}


def test_what_a_file_holds_now_replaces_what_it_held(database):
    before, after = known("a.jpg"), known("a.jpg", size=2**40, modified_ns=5, inode="1:2", held="b")
    with database.begin() as records:
        records.remember_files([before])
        records.remember_files([after])
        assert records.known_files([before.id]) == {after.id: after}


def test_no_files_are_remembered_without_a_statement(database):
    with database.begin() as records:
        records.remember_files([])
        assert records.known_files([]) == {}
