"""Why a photo is, or is not, found to show somebody, with real recognition on drawn people."""

import json
import sqlite3
from importlib import import_module

import pytest
from click.testing import CliRunner
from PIL import Image, ImageEnhance, ImageFilter

from facesearch import FaceSearch
from facesearch.cli import main
from facesearch.engine.operations import quality
from facesearch.workflows.explaining import EMBEDDED

explain = import_module("facesearch.cli.explain")  # the module, which the command of that name hides
NAMES = ("Amara Okafor", "Hugo Lindqvist", "José Ñandú")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def explained(photo, person, threshold=None):
    """The verdict, the document and the lines, of one explanation."""
    with FaceSearch.open() as fs:
        answer = fs.explain(photo, person, "staff", threshold=threshold)
    return answer.verdict, explain._shape(answer, photo), "\n".join(explain._lines(answer, "staff"))


@pytest.fixture(scope="session")
def enrolled_home(samples, vision_cache, tmp_path_factory):
    """A home in which three people are enrolled in `staff`, by a photo each, and one of them in `guests` too."""
    home = tmp_path_factory.mktemp("explained")
    (home / "cache").symlink_to(vision_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESEARCH_HOME", str(home))
        for name in NAMES:
            photo = sorted((samples / "people" / name).glob("*.jpg"))[0]
            run("enroll", photo, "-c", "staff", "--person", name)
        photo = sorted((samples / "people" / "Leyla Haddad").glob("*.jpg"))[0]
        run("enroll", photo, "-c", "guests", "--person", "Leyla Haddad")
    return home


@pytest.fixture(autouse=True)
def staff(own_home):
    """This test's own copy of that home."""


@pytest.fixture
def queries(samples):
    return samples / "queries"


def test_somebody_who_is_found_is_said_to_be(queries):
    verdict, told, read = explained(queries / "hugo.jpg", "Hugo Lindqvist")
    assert (verdict, told["place"], told["nearer"]) == ("found", 1, None)
    assert told["similarity"] > 80
    said = run(
        "explain", queries / "hugo.jpg", "--person", "Hugo Lindqvist", "-c", "staff", "-o", "table"
    ).stdout
    assert said == f"{read}\n"
    assert read.startswith("yes: the similarity ")


def test_somebody_unlike_is_under_the_threshold_with_the_best_photo_and_who_is_nearer(queries):
    verdict, told, read = explained(queries / "hugo.jpg", "Amara Okafor")
    assert verdict == "under_the_threshold"
    assert told["similarity"] < told["threshold"] == 80
    assert "Amara Okafor" in told["best_photo"]
    assert told["nearer"]["person"]["name"] == "Hugo Lindqvist"
    assert told["shortcomings"] == []
    assert "is under the threshold 80" in read
    assert "first comes Hugo Lindqvist" in read


def test_a_threshold_of_the_collection_is_the_one_that_is_explained(queries):
    run("collection", "edit", "staff", "--threshold", "100")
    asked = ("explain", queries / "hugo.jpg", "--person", "Hugo Lindqvist", "-c", "staff", "-o", "json")
    told = json.loads(run(*asked, code=1).stdout)
    verdict = told["verdict"]
    assert (verdict, told["threshold"], told["threshold_from"]) == (
        "under_the_threshold",
        100.0,
        "collection",
    )


def test_somebody_who_is_like_but_not_most_like_is_told_who_is_nearer(queries):
    verdict, told, read = explained(queries / "hugo.jpg", "Amara Okafor", "0.01")
    assert verdict == "another_person_is_nearer"
    assert told["place"] in (2, 3)
    assert told["nearer"]["person"]["name"] == "Hugo Lindqvist"
    assert "another person is nearer" in read


def test_a_smaller_face_of_the_photo_is_looked_at_too(queries, samples, tmp_path):
    group = Image.new("RGB", (720, 400), (90, 110, 130))
    for left, side, name in ((10, 380, "Amara Okafor"), (430, 260, "Hugo Lindqvist")):
        with Image.open(sorted((samples / "people" / name).glob("*.jpg"))[1]) as photo:
            group.paste(photo.convert("RGB").resize((side, side)), (left, 10))
    group.save(tmp_path / "group.jpg", quality=95)
    verdict, told, read = explained(tmp_path / "group.jpg", "Hugo Lindqvist")
    assert verdict == "another_face_of_the_photo"
    assert told["box"]["left"] > 0.55
    assert "search with --faces all" in read
    assert explained(tmp_path / "group.jpg", "José Ñandú")[0] == "under_the_threshold"


def test_a_poor_face_is_told_how_far_it_is_from_enough(queries, tmp_path):
    with Image.open(queries / "hugo.jpg") as photo:
        spoilt = photo.convert("RGB").filter(ImageFilter.GaussianBlur(photo.width / 45))
    ImageEnhance.Brightness(spoilt).enhance(0.9).save(tmp_path / "blurred.jpg")
    verdict, told, read = explained(tmp_path / "blurred.jpg", "Hugo Lindqvist", "100")
    assert verdict == "poor_quality"
    [sharpness] = told["shortcomings"]
    assert sharpness["what"] == "sharpness"
    assert sharpness["measured"] < sharpness["enough"] == 12
    assert "the face is poor: sharpness" in read
    assert "enough is at least 12" in read


def test_a_photo_without_a_face_says_so_and_one_with_a_tiny_face_how_large_it_is(queries, tmp_path):
    with Image.open(queries / "lake.jpg") as photo:
        photo.convert("RGB").resize((200, 150)).save(tmp_path / "lake.jpg")
    verdict, told, read = explained(tmp_path / "lake.jpg", "Hugo Lindqvist")
    assert (verdict, told["candidate_pixels"]) == ("no_face", None)
    assert read.startswith("no: the photo shows no face that can be searched")
    tiny = Image.new("RGB", (900, 700), (90, 110, 130))
    with Image.open(queries / "hugo.jpg") as photo:
        tiny.paste(photo.convert("RGB").resize((40, 50)), (130, 90))
    tiny.save(tmp_path / "tiny.png")
    verdict, told, read = explained(tmp_path / "tiny.png", "Hugo Lindqvist")
    assert verdict == "no_face"
    assert 10 <= told["candidate_pixels"] <= 24
    assert f"one of {told['candidate_pixels']} pixels" in read


def test_somebody_who_is_enrolled_elsewhere_is_told_where(queries):
    verdict, told, read = explained(queries / "leyla.jpg", "Leyla Haddad")
    assert verdict == "not_enrolled"
    assert told["elsewhere"] == [{"collection": "guests", "faces": 1, "face_model_version": "1.0"}]
    assert "Leyla Haddad has no face in collection staff" in read
    assert "1 face in collection guests (face model 1.0)" in read


def test_faces_of_another_model_are_not_compared(home, queries):
    with sqlite3.connect(home / "facesearch.db") as records:
        records.execute("UPDATE faces SET model_version = '0.9'")
    records.close()
    verdict, told, read = explained(queries / "hugo.jpg", "Hugo Lindqvist")
    assert verdict == "other_model"
    assert told["elsewhere"][0]["face_model_version"] == "0.9"
    assert "were made with face model 0.9, and collection staff has model 1.0" in read


def test_faces_that_the_collection_lost_are_told(queries):
    with FaceSearch.open() as fs:
        theirs = [one.face.face_id for one in fs.faces("staff", "Hugo Lindqvist")]
        fs._gateway.delete_faces("staff", theirs)
    verdict, _, read = explained(queries / "hugo.jpg", "Hugo Lindqvist")
    assert verdict == "not_in_the_collection"
    assert "facesearch reconcile -c staff" in read


def test_an_unknown_person_and_what_is_no_photo_are_errors(queries, tmp_path):
    asked = ("explain", queries / "hugo.jpg", "-c", "staff", "--person")
    assert "nobody with the id" in run(*asked, "Nobody", code=2).stderr
    (tmp_path / "a.jpg").write_text("no photo")
    said = run("explain", tmp_path / "a.jpg", "-c", "staff", "--person", NAMES[0], code=2).stderr
    assert "not a photo" in said
    said = run("explain", queries / "hugo.jpg", "-c", "none", "--person", NAMES[0], code=5).stderr
    assert "no collection" in said


def test_the_bars_that_are_told_are_those_of_the_embedded_engine():
    bar = quality._BARS["AUTO"]
    assert (EMBEDDED.pixels, EMBEDDED.confidence, EMBEDDED.brightness, EMBEDDED.sharpness) == (
        bar.side,
        bar.confidence,
        bar.brightness,
        bar.sharpness,
    )
    assert (EMBEDDED.yaw, EMBEDDED.up, EMBEDDED.down) == (bar.yaw, bar.pitch, bar.pitch)
