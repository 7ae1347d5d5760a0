"""Photos that show what another one does, as `facesearch enroll` tells of them."""

import json
import shutil

import pytest
from click.testing import CliRunner
from PIL import Image

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    return result


@pytest.fixture
def people(samples, tmp_path):
    """One photo, a copy of the file, and a smaller copy of the picture."""
    folder = tmp_path / "people" / "Ann"
    folder.mkdir(parents=True)
    photo = sorted((samples / "people").rglob("*.jpg"))[0]
    shutil.copy(photo, folder / "1.jpg")
    shutil.copy(photo, folder / "copy.jpg")
    with Image.open(photo) as image:
        image.resize((image.width // 2, image.height // 2)).save(folder / "small.jpg")
    return tmp_path / "people"


def test_copies_are_counted_and_listed_for_reading(people):
    lines = run("enroll", people, "-c", "staff", "-o", "table").stdout.splitlines()
    assert "  of these almost like another photo of the person 1" in lines
    assert "  files with the content of another one, not sent 1" in lines
    [near] = [line for line in lines if "almost the same picture" in line]
    assert "1.jpg" in near and "small.jpg" in near
    [exact] = [line for line in lines if "the same content" in line]
    assert "1.jpg" in exact and "copy.jpg" in exact


def test_copies_are_in_the_document(people):
    told = json.loads(run("enroll", people, "-c", "staff", "-o", "json").stdout)
    assert (told["exact_duplicates"], told["near_duplicates"]) == (1, 1)
    near, exact = told["duplicates"]
    assert (exact["photo"], exact["of"]) == (str(people / "Ann" / "copy.jpg"), str(people / "Ann" / "1.jpg"))
    assert exact["person"] == "Ann" and exact["differing_bits"] is None
    assert {near["photo"], near["of"]} == {str(people / "Ann" / name) for name in ("1.jpg", "small.jpg")}
    assert 0 <= near["differing_bits"] <= 6
    assert told["problems"] == told["conflicts"] == []


def test_each_photo_says_in_a_stream_what_it_is_like(people):
    lines = run("enroll", people, "-c", "staff", "-o", "ndjson").stdout.splitlines()
    reasons = {json.loads(line)["reason"] for line in lines}
    assert f"it has the same content as {people / 'Ann' / '1.jpg'}" in reasons
    assert any((reason or "").startswith("it looks almost like ") for reason in reasons)


def test_many_copies_are_not_all_listed_for_reading(people):
    for number in range(25):
        shutil.copy(people / "Ann" / "1.jpg", people / "Ann" / f"copy {number}.jpg")
    result = run("enroll", people, "-c", "staff", "-o", "table")
    assert result.stdout.count("the same content") == 19  # below the one that looks alike
    assert "7 more copies: `-o json` lists up to 1,000 of each kind" in result.stderr
