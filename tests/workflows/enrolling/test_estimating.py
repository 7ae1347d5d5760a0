"""A dry run says what the run then does, also where the records were rebuilt from the collection."""

import shutil

import pytest

from facesearch import FaceSearch


@pytest.fixture
def people(samples, tmp_path):
    """Two of the drawn people, two photos each."""
    for folder in sorted((samples / "people").iterdir())[:2]:
        (tmp_path / "people" / folder.name).mkdir(parents=True)
        for photo in sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[:2]:
            shutil.copy(photo, tmp_path / "people" / folder.name)
    return tmp_path / "people"


@pytest.fixture
def adopted(people, tmp_path):
    """A collection of three of the photos, with records that were rebuilt from it alone."""
    left_out = sorted(people.rglob("*.jpg"))[-1]
    left_out.rename(tmp_path / "left out.jpg")
    with FaceSearch.open() as fs:
        fs.enroll([people], "staff")
    (tmp_path / "left out.jpg").rename(left_out)
    with FaceSearch.open(database_url=f"sqlite:///{tmp_path / 'new.db'}") as fs:
        fs.repair(fs.reconcile("staff", unknown="adopt"), unknown="adopt")
        yield fs


def test_photos_that_were_adopted_are_known_to_a_dry_run_as_to_the_run(adopted, people):
    told = adopted.estimate([people], "staff")
    assert (told.files["already"], told.files["new"], told.people) == (3, 1, 2)
    assert all(one.person.name.startswith("person ") for one in adopted.people())  # and nothing was written
    report = adopted.enroll([people], "staff")
    assert {status.value: count for status, count in report.counts.items() if count} == {
        "already": 3,
        "enrolled": 1,
    }
    assert report.people == told.people == len(list(adopted.people()))
    assert adopted.estimate([people], "staff").files["new"] == 0


def test_people_are_told_apart_in_every_batch_of_a_dry_run(adopted, people, monkeypatch):
    from facesearch.workflows.enrolling import hashing

    monkeypatch.setattr(hashing, "BATCH", 1)
    monkeypatch.setattr(hashing, "LOOKED_UP", 1)
    told = adopted.estimate([people], "staff")
    assert (told.files["already"], told.files["new"], told.people) == (3, 1, 2)


def test_a_name_that_is_said_of_nobodys_photo_is_somebody_new(adopted, people):
    folder = sorted(people.iterdir())[0]
    told = adopted.estimate([folder], "staff", person="Somebody else")
    assert (told.files["already"], told.people) == (2, 1)  # their name was lost, and this is now said of them
    mixed = adopted.estimate(sorted(people.iterdir()), "staff", person="One name for two people")
    assert (mixed.files.get("already", 0), mixed.files["new"]) == (0, 4)
