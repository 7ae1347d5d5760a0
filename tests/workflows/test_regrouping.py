"""Merging and splitting people who were enrolled from folders, with real recognition and kills in between."""

import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from PIL import Image, ImageOps

from facesearch import FaceSearch
from facesearch.domain import PersonSpec, PhotoStatus
from facesearch.domain.searching import By
from facesearch.workflows import erasing

ENROLLED, ALREADY = PhotoStatus.ENROLLED, PhotoStatus.ALREADY


@pytest.fixture(scope="module")
def folder(samples, tmp_path_factory):
    """One person's photos in two folders, and somebody else's in a third."""
    people = tmp_path_factory.mktemp("photos") / "people"
    one, other = (samples / "people" / name for name in ("Samuel Adeyemi", "Amara Okafor"))
    for name, photos in (
        ("Sam", [one / "beach.jpg", one / "staff.jpg"]),
        ("S. Adeyemi", [one / "street.jpg", samples / "queries" / "samuel.jpg"]),
        ("Amara", [other / "garden.jpg"]),
    ):
        (people / name).mkdir(parents=True)
        for photo in photos:
            shutil.copy(photo, people / name)
    return people


@pytest.fixture(scope="module")
def enrolled_home(folder, vision_cache, tmp_path_factory):
    home = tmp_path_factory.mktemp("enrolled")
    (home / "cache").symlink_to(vision_cache)
    with FaceSearch.open(home=home) as fs:
        fs.enroll([folder], "staff")
        fs.keep_users("staff")
    return home


@pytest.fixture
def staff(own_home):
    """This test's own copy of a home in which all are enrolled."""
    return own_home


@pytest.fixture
def people(folder, tmp_path):
    """This test's own copy of the folders, which later photos may come into."""
    return shutil.copytree(folder, tmp_path / "people")


@pytest.fixture(scope="module")
def mirrored(samples, tmp_path_factory):
    """One more photo of the person with two folders."""
    path = tmp_path_factory.mktemp("mirrored") / "mirrored.jpg"
    with Image.open(samples / "people" / "Samuel Adeyemi" / "beach.jpg") as photo:
        ImageOps.mirror(photo).save(path, quality=90)
    return path


def sent(fs):
    """A list that gets an entry for each IndexFaces call from now on."""
    calls = []
    fs._gateway._client.meta.events.register(
        "before-call.rekognition.IndexFaces", lambda **_: calls.append(1)
    )
    return calls


def users(fs, photo):
    """Who is found in a photo as a user, each with the number of their faces; the most alike first."""
    [found] = fs.search([photo], "staff", by=By.USER)
    return [(match.person.name, match.enrolled) for match in found.faces[0].matches]


def test_after_a_merge_a_search_by_user_names_the_kept_person_and_after_a_split_both(staff, samples, folder):
    query = samples / "queries" / "samuel.jpg"
    with FaceSearch.open() as fs:
        assert sorted(users(fs, query)) == [("S. Adeyemi", 2), ("Sam", 2)]
        fs.merge_people("Sam", "S. Adeyemi")
        assert users(fs, query) == [("Sam", 4)]
        [found] = fs.search([query], "staff")
        assert [(match.person.name, match.agreeing) for match in found.faces[0].matches] == [("Sam", 4)]
        fs.split_person("Sam", sorted((folder / "S. Adeyemi").iterdir())[:1], "Twin")
        assert sorted(users(fs, query)) == [("Sam", 3), ("Twin", 1)]
        assert fs.reconcile("staff", files=True).count == 0


def test_enrolling_the_same_folders_after_a_merge_brings_nobody_back_and_sends_nothing(
    staff, people, mirrored
):
    (people / "S. Adeyemi" / "person.toml").write_text(
        'notes = "of the other"\n[attributes]\nteam = "south"\n'
    )
    with FaceSearch.open() as fs:
        fs.merge_people("Sam", "S. Adeyemi")
        calls = sent(fs)
        again = fs.enroll([people], "staff")
        assert (again.counts[ALREADY], again.total, again.conflicts, calls) == (5, 5, (), [])
        assert again.people == 2
        kept = fs.person("Sam").person
        assert (kept.notes, kept.attributes) == (None, {})
        shutil.copy(mirrored, people / "S. Adeyemi" / "new.jpg")
        estimate = fs.estimate([people], "staff")
        assert (estimate.calls["IndexFaces"], estimate.people) == (1, 2)
        assert fs.enroll([people], "staff").counts[ENROLLED] == 1
        assert len(calls) == 1
        assert [one.person.name for one in fs.people()] == ["Amara", "Sam"]
        assert fs.person("Sam").faces == {"staff": 5}
        assert users(fs, people / "S. Adeyemi" / "new.jpg") == [("Sam", 5)]
        assert fs.reconcile("staff").count == 0


def test_enrolling_the_same_folders_after_a_split_leaves_the_photos_with_whom_they_were_given(staff, people):
    photo = min((people / "S. Adeyemi").iterdir())
    with FaceSearch.open() as fs:
        fs.split_person("S. Adeyemi", [photo], "Twin")
        calls = sent(fs)
        told = []
        again = fs.enroll([people], "staff", on_photo=told.append)
        assert (again.counts[ALREADY], again.total, again.conflicts, calls) == (5, 5, (), [])
        assert [one.reason for one in told if one.path == str(photo)] == [
            "it was moved to another person (facesearch person split)"
        ]
        assert fs.estimate([people], "staff").calls["IndexFaces"] == 0
        assert fs.person("Twin").faces == {"staff": 1}
        fs.erase_person("Twin")
        assert fs.enroll([people], "staff").counts[ALREADY] == 5
        assert calls == []
        assert fs.reconcile("staff").count == 0


def test_who_is_said_by_a_key_is_found_where_they_were_merged(staff, people):
    with FaceSearch.open() as fs:
        fs.edit_person("S. Adeyemi", key="E-2")
        fs.edit_person("Sam", key="E-1")
        fs.merge_people("Sam", "S. Adeyemi")
        kept = fs.person("E-2").person
        assert (kept.key, kept.name) == ("E-1", "Sam")
        asked = [PersonSpec("Whoever", "E-2"), PersonSpec("S. Adeyemi"), PersonSpec("S. Adeyemi", "E-3")]
        with fs._database.begin() as records:
            found = records.resolve_people(asked)
        assert [one.id == kept.id for one in found] == [True, True, False]
        assert fs.person("Sam").person == kept


def test_an_enrolment_under_way_is_told_to_run_again_and_then_ends_well(staff, people, mirrored):
    shutil.copy(mirrored, people / "S. Adeyemi" / "new.jpg")
    with FaceSearch.open() as fs:
        index_faces = fs._gateway.index_faces

        def meanwhile(*arguments, **options):
            answer = index_faces(*arguments, **options)
            with FaceSearch.open() as other:
                other.merge_people("Sam", "S. Adeyemi")
            return answer

        fs._gateway.index_faces = meanwhile
        with pytest.raises(Exception, match="run the same command again"):
            fs.enroll([people], "staff")
        fs._gateway.index_faces = index_faces
        again = fs.enroll([people], "staff")
        assert (again.counts[ALREADY], again.total, again.earlier) == (6, 6, 1)
        assert fs.person("Sam").faces == {"staff": 5}
        assert len(list(fs.faces("staff"))) == 6
        assert fs.reconcile("staff").count == 0


KILLED = """
import os, signal, sys
from facesearch import FaceSearch
left = int(sys.argv[1])
def counted(**_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
with FaceSearch.open() as fs:
    events = fs._gateway._client.meta.events
    events.register("before-call.rekognition.DisassociateFaces", counted)
    events.register("after-call.rekognition.DeleteUser", counted)
    fs.merge_people("Sam", "S. Adeyemi")
"""


@pytest.mark.parametrize("calls", [0, 1])
def test_a_merge_that_is_killed_is_finished_by_the_next_enrolment(calls, staff, samples, folder):
    done = subprocess.run([sys.executable, "-c", KILLED, str(calls)], check=False)
    assert done.returncode == -signal.SIGKILL
    with FaceSearch.open() as fs:
        calls = sent(fs)
        assert fs.enroll([folder], "staff").counts[ALREADY] == 5
        assert calls == []
        assert users(fs, samples / "queries" / "samuel.jpg") == [("Sam", 4)]
        assert fs.collection("staff").user_count == 2
        assert fs.reconcile("staff").count == 0


def test_an_export_knows_who_was_merged_and_so_does_whoever_imports_it(staff, people, tmp_path, vision_cache):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cache").symlink_to(vision_cache)
    with FaceSearch.open() as fs:
        before = fs.person("S. Adeyemi").person
        fs.merge_people("Sam", "S. Adeyemi")
        formers = fs.formerly("Sam")
        fs.export(tmp_path / "exported", photos=True)
    with FaceSearch.open(home=elsewhere) as there:
        there.import_(tmp_path / "exported", "staff")
        assert there.formerly("Sam") == formers
        assert there.person(before.id).faces == {"staff": 4}
        assert there.enroll([people], "staff").counts[ALREADY] == 5
    shutil.rmtree(tmp_path / "exported")
    with FaceSearch.open() as fs:
        fs.split_person("Sam", [min((people / "S. Adeyemi").iterdir())], "S. Adeyemi")
        fs.export(tmp_path / "exported", photos=True)
    with FaceSearch.open(home=elsewhere) as there:  # there they are one still
        there.import_(tmp_path / "exported", "staff")
        assert there.person("S. Adeyemi").person.name == "Sam"
        assert len(list(there.people())) == 2


def test_a_merged_person_is_erased_with_a_photo_on_its_way(staff, people, monkeypatch):
    monkeypatch.setattr(erasing, "PAUSE", 0.0)
    monkeypatch.setattr(erasing, "UNDER_WAY", timedelta(0))
    with FaceSearch.open() as fs:
        other = fs.person("S. Adeyemi").person
        photo = min((people / "Amara").iterdir()).read_bytes()
        fs.merge_people("Sam", "S. Adeyemi")
        fs._gateway.index_faces("staff", photo, f"{other.id}:{'0' * 32}", max_faces=1)
        assert fs.erase_person("Sam").faces == 5
        assert [one.enrolled.person.name for one in fs.faces("staff")] == ["Amara"]
        with fs._database.read() as records:
            assert records.erased_people([other.id]) == {other.id}
