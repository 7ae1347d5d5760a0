"""Every face of a photo, and whether two faces are one person's, with real recognition."""

import json
import shutil

import pytest
from click.testing import CliRunner
from PIL import Image

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "-o", "json", code=code).stdout)


@pytest.fixture
def people(samples):
    """The names of the first three people, all of them enrolled by one photo into the collection staff."""
    folders = sorted((samples / "people").iterdir())[:3]
    for folder in folders:
        run("enroll", portrait(folder), "-c", "staff", "--person", folder.name)
    return [folder.name for folder in folders]


def portrait(folder, which=0):
    return sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[which]


@pytest.fixture
def group(samples, people, tmp_path):
    """The three people, from other photos than the enrolled ones, side by side in three sizes."""
    picture = Image.new("RGB", (750, 350), (90, 110, 130))
    left = 10
    for name, side in zip(people, (300, 210, 130), strict=True):
        with Image.open(portrait(samples / "people" / name, 1)) as photo:
            picture.paste(photo.convert("RGB").resize((side, side)), (left, 20))
        left += side + 30
    path = tmp_path / "group.jpg"
    picture.save(path, quality=95)
    return path


def names(face):
    return [match["person"]["name"] for match in face["matches"]]


def test_every_face_of_a_photo_is_answered_where_it_is(people, group):
    [photo] = answer("search", group, "-c", "staff", "--faces", "all")["photos"]
    assert photo["status"] == "matched"
    assert [names(face) for face in photo["faces"]] == [[name] for name in people]
    middles = [face["box"]["left"] + face["box"]["width"] / 2 for face in photo["faces"]]
    assert middles == [pytest.approx(wanted, abs=0.04) for wanted in (320 / 1500, 890 / 1500, 1290 / 1500)]
    [two] = answer("search", group, "-c", "staff", "--faces", "2")["photos"]
    assert [names(face) for face in two["faces"]] == [[name] for name in people[:2]]
    [one] = answer("search", group, "-c", "staff")["photos"]
    assert [names(face) for face in one["faces"]] == [people[:1]]


def test_a_folder_stands_for_its_files_and_a_photo_without_a_face_stays_an_answer(people, group, tmp_path):
    folder = tmp_path / "photos" / "deeper"
    folder.mkdir(parents=True)
    shutil.copy(group, folder / "b.jpg")
    Image.new("RGB", (200, 200), "navy").save(folder.parent / "a.jpg")
    (folder.parent / ".hidden.jpg").write_text("not looked at")
    found = answer("search", folder.parent, "-c", "staff", "--faces", "all")["photos"]
    assert [(photo["photo"], photo["status"], len(photo["faces"])) for photo in found] == [
        (str(folder.parent / "a.jpg"), "no_face", 0),
        (str(folder / "b.jpg"), "matched", 3),
    ]
    rows = run("search", folder.parent, "-c", "staff", "--faces", "all", "-o", "ndjson").stdout.splitlines()
    assert [json.loads(row)["status"] for row in rows] == ["no_face", "matched"]


def test_a_face_nobody_knows_is_shown_beside_those_that_are_known(samples, group, people):
    run("person", "list")
    stranger = sorted((samples / "people").iterdir())[3]
    run("enroll", portrait(stranger), "-c", "others", "--person", stranger.name)
    [photo] = answer("search", group, "-c", "others", "--faces", "all")["photos"]
    assert photo["status"] == "unmatched"
    assert [face["matches"] for face in photo["faces"]] == [[], [], []]


@pytest.mark.parametrize("wrong", ["0", "-1", "some", "1.5", "²"])
def test_a_number_of_faces_that_is_none_is_refused(wrong):
    assert (
        "is not all, largest, or a number" in run("search", "x", "-c", "s", "--faces", wrong, code=2).stderr
    )


def test_a_photo_is_verified_against_another_and_against_a_person(samples, people):
    first, second = (samples / "people" / name for name in people[:2])
    same = answer("verify", portrait(first), portrait(first, 1))
    assert same["same"] is True
    assert same["similarity"] > 80
    assert answer("verify", portrait(first), portrait(second), code=1)["same"] is False
    theirs = answer("verify", portrait(first, 1), "--person", people[0], "-c", "staff")
    assert (theirs["same"], theirs["agreeing_faces"]) == (True, 1)
    assert theirs["best_photo"] == str(portrait(first))
    other = answer("verify", portrait(first, 1), "--person", people[1], "-c", "staff", code=1)
    assert (other["same"], other["agreeing_faces"]) == (False, 0)
    assert other["similarity"] < 80
    said = run("verify", portrait(first), portrait(first, 1), "-o", "table").stdout
    assert said.startswith("yes: the similarity ")
    said = run(
        "verify", portrait(first, 1), "--person", people[1], "-c", "staff", "-o", "table", code=1
    ).stdout
    assert said.startswith("no: the similarity ")


def test_what_cannot_be_verified_says_why(samples, people, tmp_path):
    photo = portrait(samples / "people" / people[0])
    empty = tmp_path / "empty.jpg"
    Image.new("RGB", (200, 200), "navy").save(empty)
    assert "give another photo, or --person with --collection" in run("verify", photo, code=2).stderr
    assert "give another" in run("verify", photo, "--person", people[0], code=2).stderr
    assert "nobody with the id" in run("verify", photo, "--person", "x", "-c", "staff", code=2).stderr
    assert "no collection" in run("verify", photo, "--person", people[0], "-c", "none", code=5).stderr
    assert f"{empty}: it shows no face" in run("verify", empty, photo, code=2).stderr
    run("collection", "create", "bare")
    said = run("verify", photo, "--person", people[0], "-c", "bare", code=2).stderr
    assert f"{people[0]} has no face in collection bare" in said
