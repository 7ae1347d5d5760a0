from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from PIL import Image

from facesearch import curves
from facesearch.domain.calibration import Calibration, Point, Rate
from facesearch.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"


def rate(estimate):
    return Rate(estimate, estimate / 2, min(1.0, 2 * estimate + 0.01))


@pytest.fixture
def calibration():
    shares = [(0.1, 1.0, 0.0), (30.0, 0.5, 0.0), (80.0, 0.01, 0.25), (95.0, 0.001, 0.5), (99.0, 0.0, 1.0)]
    points = tuple(
        Point(similarity, rate(others), rate(min(1.0, 20 * others)), rate(misses))
        for similarity, others, misses in shares
    )
    return Calibration("1.0", datetime(2026, 1, 2, tzinfo=UTC), 80, 40, 3120, 80, 40, points)


def places(element):
    return [tuple(map(float, place.split(","))) for place in element.get("points").split()]


def drawn(text):
    """Curves (the broad lines that are longer than a legend's), bands and words of an SVG."""
    root = ElementTree.fromstring(text)
    lines = [e for e in root.iter(f"{SVG}polyline") if e.get("stroke-width") == "2.5"]
    return (
        [places(line) for line in lines if len(places(line)) > 2],
        [places(band) for band in root.iter(f"{SVG}polygon")],
        [word.text for word in root.iter(f"{SVG}text")],
    )


def test_there_is_a_curve_for_each_rate_and_all_of_them_stay_in_the_picture(calibration):
    lines, bands, words = drawn(curves.svg(calibration, "collection staff", 80))
    assert (len(lines), len(bands)) == (3, 2)
    for x, y in [place for shape in (*lines, *bands) for place in shape]:
        assert 0 <= x <= curves.WIDTH
        assert 0 <= y <= curves.HEIGHT
    assert {"collection staff", "80", "somebody else matches", "an own photo misses", "0.1 %"} <= set(words)


def test_false_matches_fall_and_misses_rise_with_the_threshold(calibration):
    matches, finds, misses = drawn(curves.svg(calibration, "staff"))[0]
    for line in (matches, finds):
        assert [y for _, y in line] == sorted(y for _, y in line)
    assert [y for _, y in misses] == sorted((y for _, y in misses), reverse=True)
    assert all([x for x, _ in line] == sorted(x for x, _ in line) for line in (matches, finds, misses))


def test_without_misses_there_are_the_other_curves_and_without_points_none(calibration):
    alone = replace(calibration, points=tuple(replace(p, misses=None) for p in calibration.points))
    assert len(drawn(curves.svg(alone, "staff"))[0]) == 2
    nothing = replace(calibration, points=())
    assert drawn(curves.svg(nothing, "staff", 80))[:2] == ([], [])
    assert curves.picture(nothing, "staff", 80).size == (1920, 1280)


def test_a_hostile_title_stays_text(calibration):
    title = '<script>alert("1")</script>\x1b[31m & co\u202e'
    root = ElementTree.fromstring(curves.svg(replace(calibration, model_version=title), title))
    assert list(root.iter(f"{SVG}script")) == []
    assert root.find(f"{SVG}title").text == '<script>alert("1")</script> [31m & co'


def test_a_picture_shows_the_curves_in_their_colours(calibration):
    picture = curves.picture(calibration, "collection staff", 80)
    found = {colour for _, colour in picture.getcolors(picture.width * picture.height)}
    assert {(0xC2, 0x41, 0x0C), (0x8B, 0x5C, 0xF6), (0x0D, 0x8B, 0xD9), (255, 255, 255)} <= found


def test_the_ending_of_the_file_says_what_is_written(calibration, tmp_path):
    curves.save(calibration, tmp_path / "a.PNG", "staff", 80)
    curves.save(calibration, tmp_path / "a.svg", "staff", 80)
    with Image.open(tmp_path / "a.PNG") as picture:
        assert (picture.format, picture.size) == ("PNG", (1920, 1280))
    assert (tmp_path / "a.svg").read_text() == curves.svg(calibration, "staff", 80)
    with pytest.raises(UsageError, match=r"drawn as .png or .svg, and .*a\.jpg is neither"):
        curves.save(calibration, tmp_path / "a.jpg", "staff")
    with pytest.raises(UsageError, match=r"cannot write .*nowhere"):
        curves.save(calibration, tmp_path / "nowhere" / "a.png", "staff")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "a.svg"]
