"""Every face of a photo on the embedded engine: the photo is looked at once, and the answers are the same."""

import shutil
from collections import Counter

import pytest
from PIL import Image

from facesearch import FaceSearch
from facesearch.domain.searching import By
from facesearch.engine.vision.recognizer import DlibRecognizer
from facesearch.errors import CollectionNotFoundError
from facesearch.photos import prepare
from facesearch.workflows.every_face import search_each


@pytest.fixture
def fs(samples, tmp_path):
    """Two of the people of the group photo are in the collection staff, one of them by two photos."""
    for name, photos in (("Amara Okafor", 1), ("Samuel Adeyemi", 2)):
        (tmp_path / "people" / name).mkdir(parents=True)
        for photo in sorted((samples / "people" / name).glob("*.jpg"))[:photos]:
            shutil.copy(photo, tmp_path / "people" / name)
    with FaceSearch.open() as fs:
        fs.enroll([tmp_path / "people"], "staff")
        yield fs


@pytest.fixture
def looks(monkeypatch):
    """How many faces each look at an image described; None for a look for faces."""
    looks = []
    detect, embed = DlibRecognizer.detect, DlibRecognizer.embed

    def seen(self, image):
        looks.append(None)
        return detect(self, image)

    def described(self, image, faces):
        looks.append(len(faces))
        return embed(self, image, faces)

    monkeypatch.setattr(DlibRecognizer, "detect", seen)
    monkeypatch.setattr(DlibRecognizer, "embed", described)
    return looks


def told(photo):
    return [
        (face.reason, [(m.person.name, m.agreeing, m.enrolled) for m in face.matches]) for face in photo.faces
    ]


def test_one_look_answers_every_face_as_searching_each_by_itself_does(fs, half_size, looks):
    group = half_size / "group.jpg"
    looks.clear()
    [once] = fs.search([group], "staff", faces=None)
    assert looks == [None, len(once.faces)]
    assert len(once.faces) == 5
    fs._gateway._each_face = None  # as on a service that looks at the largest face alone
    looks.clear()
    [apart] = fs.search([group], "staff", faces=None)
    assert Counter(looks) == {None: 1 + len(once.faces), 1: len(once.faces)}
    assert told(once) == told(apart)
    assert [face.box for face in once.faces] == [face.box for face in apart.faces]
    for face, same in zip(once.faces, apart.faces, strict=True):
        for match, again in zip(face.matches, same.matches, strict=True):
            assert match.similarity == pytest.approx(again.similarity, abs=2)


def test_no_more_faces_are_described_than_are_asked_for(fs, half_size, looks):
    looks.clear()
    [photo] = fs.search([half_size / "group.jpg"], "staff", faces=2)
    assert (len(photo.faces), looks) == (2, [None, 2])


def test_what_goes_wrong_in_one_look_is_told_as_for_a_call(fs, half_size, tmp_path):
    empty = tmp_path / "empty.jpg"
    Image.new("RGB", (200, 200), "navy").save(empty)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no photo")
    found = [(one.status.value, one.reason) for one in fs.search([empty, broken], "staff", faces=None)]
    assert found[0] == ("no_face", "it shows no face")
    assert found[1][0] == "unreadable"
    group, gateway = half_size / "group.jpg", fs._gateway
    with pytest.raises(CollectionNotFoundError, match="there is no collection 'none'"):
        search_each(gateway, None, By.FACE, group, prepare(group).data, "none", threshold=80, most=None)
