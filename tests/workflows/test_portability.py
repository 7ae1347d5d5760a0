"""Exports that come back as they were, in another database and on another engine; and hostile ones."""

import hashlib
import json
import shutil
import stat
import zipfile

import pytest

from facesearch import FaceSearch
from facesearch.domain import PersonSpec, PhotoStatus
from facesearch.errors import UsageError
from facesearch.workflows.packages import Package

ENROLLED, ALREADY, FAILED = PhotoStatus.ENROLLED, PhotoStatus.ALREADY, PhotoStatus.FAILED


@pytest.fixture(scope="module")
def people(samples, tmp_path_factory):
    """Two people of one name and different keys, and one with a name in another script; a photo each."""
    folders = sorted((samples / "people").iterdir())[:3]
    root = tmp_path_factory.mktemp("photos")
    for number, folder in enumerate(folders):
        photo = next(path for path in sorted(folder.iterdir()) if path.suffix in (".jpg", ".png"))
        target = root / "people" / str(number)
        target.mkdir(parents=True)
        shutil.copy(photo, target / f"фото {number}{photo.suffix}")
        named = {"name": "田中 結衣"} if number == 2 else {"name": "Anna Ek", "key": f"E-{number}"}
        extra = {"attributes": {"team": "ø", "n": [1, None]}, "notes": "met\nin May"}
        (target / "person.json").write_text(json.dumps({**named, **extra}), encoding="utf-8")
    return root / "people"


@pytest.fixture(scope="module")
def enrolled_home(people, vision_cache, tmp_path_factory):
    home = tmp_path_factory.mktemp("enrolled")
    (home / "cache").symlink_to(vision_cache)
    with FaceSearch.open(home=home) as fs:
        fs.enroll([people], "staff")
        with fs._database.begin() as records:
            records.resolve_people([PersonSpec("Nobody's photo", "k", {"a": 1})])
    return home


@pytest.fixture
def source(own_home):
    """The enrolled home, as this test's own."""
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def elsewhere(tmp_path, vision_cache):
    """Another database and another engine, with nothing in them."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "cache").symlink_to(vision_cache)
    with FaceSearch.open(home=home) as fs:
        yield fs


def known(fs):
    return {
        one.person.id: (one.person.name, one.person.key, one.person.attributes, one.person.notes,
                        sum(one.faces.values()), one.person.created_at)
        for one in fs.people()
    }  # fmt: skip


def found(fs, people, collection):
    photos = sorted(path for path in people.rglob("*") if path.suffix in (".jpg", ".png"))
    return [answer.faces[0].matches[0].person.id for answer in fs.search(photos, collection)]


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


@pytest.mark.parametrize("name", ["backup.zip", "backup"])
def test_what_is_exported_is_the_same_when_it_is_imported_elsewhere(
    source, elsewhere, people, tmp_path, name
):
    told = []
    done = source.export(tmp_path / name, photos=True, on_photo=lambda: told.append(1))
    assert len(told) == done.photos
    assert (done.people, done.faces, done.photos, done.photos_inside, done.missing) == (4, 3, 3, 3, ())
    plan = elsewhere.plan_import(tmp_path / name, "team")
    assert (plan.people.new, plan.photos) == (4, {"new": 3, "already": 0, "missing": 0})
    assert (plan.calls, float(plan.cost)) == ({"IndexFaces": 3}, 0.003)
    assert known(elsewhere) == {}
    first = elsewhere.import_(tmp_path / name, "team")
    assert (first.people.new, counts(first.report)) == (4, {ENROLLED: 3})
    assert known(elsewhere) == known(source)
    assert found(elsewhere, people, "team") == found(source, people, "staff")
    again = elsewhere.import_(tmp_path / name, "team")
    assert (again.people.new, again.people.known, counts(again.report)) == (0, 4, {ALREADY: 3})
    assert elsewhere.plan_import(tmp_path / name, "team").photos["already"] == 3
    paths = {face.enrolled.photo.path for face in elsewhere.faces("team")}
    assert not any("facesearch-import-" in path for path in paths)
    if name.endswith(".zip"):
        assert paths == {face.enrolled.photo.path for face in source.faces("staff")}


def test_without_the_photos_they_come_from_where_they_were_if_they_are_the_same(
    source, elsewhere, people, tmp_path
):
    moved = tmp_path / "people"
    shutil.copytree(people, moved)
    source.enroll([moved], "moved")
    source.export(tmp_path / "light", "moved")
    one, other, _ = sorted(path for path in moved.rglob("*") if path.suffix in (".jpg", ".png"))
    one.unlink()
    other.write_bytes(other.read_bytes() + b"more")
    assert elsewhere.plan_import(tmp_path / "light", "team").photos == {"new": 1, "already": 0, "missing": 2}
    report = elsewhere.import_(tmp_path / "light", "team").report
    assert counts(report) == {ENROLLED: 1, FAILED: 2}
    assert {problem.path for problem in report.problems} == {str(one), str(other)}
    exported = source.export(tmp_path / "with.zip", "moved", photos=True)
    assert (exported.photos_inside, len(exported.missing)) == (1, 2)


def test_an_export_of_a_collection_holds_its_people_alone_and_nothing_is_overwritten(source, tmp_path):
    source.create_collection("empty")
    assert source.export(tmp_path / "none", "empty").people == 0
    assert source.export(tmp_path / "staff", "staff").people == 3
    for name in ("staff", "none"):
        with pytest.raises(UsageError, match="there already"):
            source.export(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"none", "staff"}
    assert stat.S_IMODE((tmp_path / "staff" / "people.jsonl").stat().st_mode) == 0o600


def test_people_are_matched_by_id_then_key_then_the_only_one_of_a_name(source, elsewhere, tmp_path):
    source.export(tmp_path / "all")
    with elsewhere._database.begin() as records:
        keyed, only, namesake = records.resolve_people(
            [PersonSpec("Renamed", "E-0"), PersonSpec("田中 結衣"), PersonSpec("Anna Ek", "other")]
        )
    plan = elsewhere.plan_import(tmp_path / "all", "team").people
    assert (plan.new, plan.known) == (2, 2)
    elsewhere.import_(tmp_path / "all", "team")
    people = {one.person.id: one for one in elsewhere.people()}
    assert (people[keyed.id].person.name, sum(people[keyed.id].faces.values())) == ("Renamed", 1)
    assert sum(people[only.id].faces.values()) == 1
    assert people[namesake.id].faces == {}
    assert len(people) == 5


def test_somebody_who_was_erased_is_not_brought_back(source, tmp_path):
    source.export(tmp_path / "all", photos=True)
    source.erase_person("E-0")
    done = source.import_(tmp_path / "all", "staff")
    assert (done.people.erased, done.people.known, counts(done.report)) == (1, 3, {ALREADY: 2})
    assert "E-0" not in {one.person.key for one in source.people()}


def rewritten(path, target, change):
    """A copy of a ZIP file whose entries went through `change`, which gives (name or ZipInfo, content) pairs."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name, content in change([(info.filename, old.read(info)) for info in old.infolist()]):
            new.writestr(name, content)
    return target


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


HOSTILE = {
    "is no part": lambda files: [*files, ("../../evil", b"x")],
    "which is no part": lambda files: [*files, ("/etc/evil", b"x")],
    "no regular file": lambda files: [*files, (link("photos/ab/ab" + "0" * 62), b"/etc/passwd")],
    "not what its name says": lambda files: [
        (name, content + b"x" if name.startswith("photos/") else content) for name, content in files
    ],
    "not what the manifest says": lambda files: [
        (name, content.replace(b"Anna", b"Eve.") if name == "people.jsonl" else content)
        for name, content in files
    ],
    "larger than it may be": lambda files: [
        (name, content + b"{}\n" if name == "faces.jsonl" else content) for name, content in files
    ],
    "not that of a facesearch export": lambda files: [
        (name, b"[]" if name == "manifest.json" else content) for name, content in files
    ],
    "it holds no manifest": lambda files: [pair for pair in files if pair[0] != "manifest.json"],
    "it holds no photos": lambda files: [pair for pair in files if not pair[0].startswith("photos/")],
}


@pytest.mark.parametrize("why", HOSTILE)
def test_an_export_that_was_tampered_with_changes_nothing(source, elsewhere, tmp_path, why):
    source.export(tmp_path / "good.zip", photos=True)
    bad = rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", HOSTILE[why])
    with pytest.raises(UsageError, match=why):
        elsewhere.import_(bad, "team")
    assert (known(elsewhere), list(elsewhere.collections())) == ({}, [])


def test_a_zip_bomb_and_what_is_no_zip_are_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("people.jsonl", bytes(50_000_000))
    with pytest.raises(UsageError, match="would grow to 50,000,000 bytes"):
        Package(tmp_path / "bomb.zip")
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("text.zip", "nowhere.zip"):
        with pytest.raises(UsageError, match="cannot be imported"):
            Package(tmp_path / name)


def test_a_folder_with_links_in_place_of_files_is_refused(source, tmp_path):
    source.export(tmp_path / "all", photos=True)
    people = tmp_path / "all" / "people.jsonl"
    people.rename(tmp_path / "moved")
    people.symlink_to(tmp_path / "moved")
    with Package(tmp_path / "all") as package, pytest.raises(UsageError, match="no regular file"):
        package.verify()


def test_lines_that_hold_something_else_than_people_and_faces_are_refused(source, elsewhere, tmp_path):
    source.export(tmp_path / "all")
    for name, line in (
        ("people.jsonl", b'{"id": "../x", "name": "a", "attributes": {}}\n'),
        ("people.jsonl", b"[" * 100_000 + b"\n"),
        ("people.jsonl", b" " * 2_000_000 + b"{}\n"),
        ("faces.jsonl", b'{"person": "' + b"0" * 32 + b'", "photo": 7, "path": "x"}\n'),
    ):
        folder = tmp_path / hashlib.sha256(line).hexdigest()[:8]
        shutil.copytree(tmp_path / "all", folder)
        (folder / name).write_bytes(line)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = {"sha256": hashlib.sha256(line).hexdigest(), "bytes": len(line)}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(UsageError):
            elsewhere.import_(folder, "team")
    assert [collection.face_count for collection in elsewhere.collections()] in ([], [0])
