"""A search with a page to show, and what is redacted, with real recognition."""

import json

import pytest
from click.testing import CliRunner
from PIL import Image, ImageChops

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def staff(samples):
    """One of the people in the group photo is enrolled."""
    photo = min((samples / "people" / "Amara Okafor").glob("*.jpg"))
    run("enroll", photo, "-c", "staff", "--person", "Amara Okafor")


def test_a_search_writes_its_page_and_prints_its_answer_as_ever(staff, half_size, tmp_path):
    group, page = half_size / "group.jpg", tmp_path / "found.html"
    result = run("search", group, "-c", "staff", "--faces", "all", "--report", page, "-o", "json")
    assert json.loads(result.stdout)["photos"][0]["status"] == "matched"
    assert f"the page is {page}" in result.stderr
    html = page.read_text(encoding="utf-8")
    assert "<h1>Found: <bdi>Amara Okafor</bdi></h1>" in html
    assert html.count("<article") == 5
    assert html.count("data:image/jpeg;base64,") == 1 + 5 + 1
    assert "<dt>engine</dt><dd>embedded</dd>" in html


def test_redacted_the_page_and_the_drawing_show_nobody_else(staff, half_size, tmp_path):
    group, page, marked = half_size / "group.jpg", tmp_path / "found.html", tmp_path / "marked"
    common = ("search", group, "-c", "staff", "--faces", "all", "--save", marked, "-o", "json")
    [photo] = json.loads(run(*common, "--report", page, "--redact").stdout)["photos"]
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 1 + 1 + 1
    assert str(half_size) not in page.read_text(encoding="utf-8")
    with Image.open(group) as before, Image.open(marked / "group.faces.jpg") as after:
        assert before.size == after.size
        changed = {bool(face["matches"]): difference(before, after, face["box"]) for face in photo["faces"]}
    assert changed[True] < 12 < changed[False]


def difference(before, after, box):
    """How far two pictures are apart inside a face, on average."""
    sides = (box["left"] + box["width"] * 0.2, box["top"] + box["height"] * 0.2)
    area = (*sides, box["left"] + box["width"] * 0.8, box["top"] + box["height"] * 0.8)
    pixels = tuple(round(value * side) for value, side in zip(area, before.size * 2, strict=True))
    apart = ImageChops.difference(before.convert("L").crop(pixels), after.convert("L").crop(pixels))
    return sum(apart.tobytes()) / (apart.width * apart.height)


def test_what_cannot_become_a_page_is_said_before_the_search(staff, samples, tmp_path):
    query = samples / "queries" / "amara.jpg"
    said = run("search", query, "-c", "staff", "--report", tmp_path / "photo.jpg", code=2).stderr
    assert "let it end in .html" in said
    assert "--redact is for" in run("search", query, "-c", "staff", "--redact", code=2).stderr
    assert list(tmp_path.iterdir()) == []
