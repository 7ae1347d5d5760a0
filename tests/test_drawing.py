"""Boxes and names on a photo: where they go, what they look like, and that any name can be drawn."""

from __future__ import annotations

import random
from itertools import combinations
from math import inf, nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFont, features

from facesearch.domain import Box
from facesearch.drawing import arrange, draw, save
from facesearch.errors import UsageError
from facesearch.lettering import FONT, font, harmless, visual, wrapped

NAMES = {
    "Latin": "Zoë Łukasiewicz, Nguyễn Thị Hương, İpek Çağ",
    "Greek": "Ἀριστοτέλης Παπαδόπουλος",
    "Cyrillic": "Анастасия Ёлкина, Їжакевич",
    "Hebrew": "שָׁלוֹם בֶּן־גּוּרִיּוֹן",
    "Arabic": "محمد بن عبد الله ٢٠٢٦",
    "Persian": "گلشیفته فراهانی",
    "Devanagari": "श्रीकृष्ण त्रिपाठी",
    "Bengali": "শ্রীজাত বন্দ্যোপাধ্যায়",
    "Tamil": "க்ஷேத்ரா தமிழ்",
    "Telugu": "శ్రీనివాస్",
    "Kannada": "ಕೃಷ್ಣ",
    "Malayalam": "ശ്രീകുമാർ",
    "Gujarati": "શ્રીકાંત",
    "Gurmukhi": "ਪ੍ਰੀਤ",
    "Oriya": "ଶ୍ରୀ",
    "Sinhala": "ශ්‍රී ලංකා",
    "Thai": "กิตติ์ ณัฐวุฒิ",
    "Lao": "ສົມຫວັງ",
    "Khmer": "ព្រះសីហនុ",
    "Burmese": "အောင်ဆန်းစုကြည်",
    "Georgian": "ნინო",
    "Armenian": "Անահիտ",
    "Amharic": "ኃይለ ሥላሴ",
    "Chinese": "王小明 張偉 欧阳娜娜",
    "Japanese": "山田太郎 さくら ミュージック",
    "Korean": "김철수 박지영",
    "Thaana": "މުޙައްމަދު",
    "NKo": "ߒߞߏ",
    "Tifinagh": "ⵜⴰⵏⵉⵔⵜ",
}


def grey(width: int = 640, height: int = 480) -> Image.Image:
    return Image.new("RGB", (width, height), (128, 128, 128))


def plain(size: int = 20) -> ImageFont.FreeTypeFont:
    """The font as it is where Pillow has no Raqm."""
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


# --- the picture ----------------------------------------------------------------------------------------------


def test_the_photo_itself_is_left_alone() -> None:
    photo = grey()
    drawn = draw(photo, [(Box(0.2, 0.3, 0.2, 0.3), "Ada")])
    assert photo.tobytes() == grey().tobytes()
    assert drawn.size == photo.size
    assert drawn.tobytes() != photo.tobytes()


def test_a_box_is_a_line_round_the_face_and_leaves_the_face_to_be_seen() -> None:
    drawn = draw(grey(), [(Box(0.25, 0.25, 0.5, 0.5), "")])
    assert drawn.getpixel((160, 240)) != (128, 128, 128)
    assert drawn.getpixel((479, 240)) != (128, 128, 128)
    assert drawn.crop((175, 135, 465, 345)).tobytes() == grey(290, 210).tobytes()
    assert drawn.getpixel((80, 60)) == (128, 128, 128)


def test_a_box_without_a_name_has_no_label() -> None:
    _, (named, unnamed) = arrange((640, 480), [(Box(0, 0, 0.1, 0.1), "Ada"), (Box(0.5, 0.5, 0.1, 0.1), "\n")])
    assert named.place.right > named.place.left
    assert not unnamed.text.lines


def test_lines_and_letters_grow_with_the_photo() -> None:
    box = Box(0.3, 0.3, 0.2, 0.3)
    small, _ = arrange((640, 480), [(box, "Ada")])
    large, _ = arrange((6400, 4800), [(box, "Ada")])
    assert large.line > 5 * small.line
    assert large.letters > 5 * small.letters


def test_letters_are_smaller_where_the_faces_are() -> None:
    portrait, _ = arrange((2000, 1500), [(Box(0.3, 0.2, 0.4, 0.6), "Ada")])
    group, _ = arrange((2000, 1500), [(Box(n / 20, 0.4, 0.04, 0.06), "Ada") for n in range(20)])
    assert group.letters < portrait.letters


def test_a_label_stands_above_its_face_where_there_is_room() -> None:
    _, (label,) = arrange((640, 480), [(Box(0.4, 0.4, 0.2, 0.3), "Ada")])
    assert label.place.bottom == label.area.top
    assert label.place.left == label.area.left


def test_labels_stay_inside_the_picture_and_their_letters_inside_the_labels() -> None:
    corners = [(x, y) for x in (-0.1, 0.4, 0.95) for y in (-0.1, 0.4, 0.95)]
    photo = grey()
    for x, y in corners:
        for name in NAMES.values():
            _, (label,) = arrange(photo.size, [(Box(x, y, 0.15, 0.15), name)])
            assert 0 <= label.place.left < label.place.right <= 640
            assert 0 <= label.place.top < label.place.bottom <= 480


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_no_script_overflows_its_label(name: str) -> None:
    photo = grey()
    boxes = [(Box(0.4, 0.4, 0.2, 0.2), name)]
    _, (label,) = arrange(photo.size, boxes)
    bare = draw(photo, [(Box(0.4, 0.4, 0.2, 0.2), "")])
    inked = ImageChops.difference(bare, draw(photo, boxes)).getbbox()
    assert inked is not None
    assert label.place.left <= inked[0] < inked[2] <= label.place.right
    assert label.place.top <= inked[1] < inked[3] <= label.place.bottom


def test_labels_of_a_crowd_do_not_cover_each_other_or_a_face() -> None:
    crowd = [
        (Box(0.02 + 0.14 * n, 0.1 + 0.22 * row, 0.06, 0.08), f"Person {n}")
        for row in range(4)
        for n in range(7)
    ]
    _, labels = arrange((1600, 1200), crowd)
    for one, other in combinations(labels, 2):
        assert one.place.shared(other.place) == 0
        assert one.place.shared(other.area) == 0


def test_faces_side_by_side_get_labels_that_can_be_read() -> None:
    names = ["Anastasia Wolkenstein", "Maximilian Habsburg", "Ferdinand Magellan"]
    _, labels = arrange(
        (640, 480), [(Box(0.3 + 0.11 * n, 0.4, 0.1, 0.15), name) for n, name in enumerate(names)]
    )
    assert all(a.place.shared(b.place) == 0 for a, b in combinations(labels, 2))


def test_a_box_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    _, labels = arrange(
        (640, 480), [(Box(-0.5, -0.5, 0.7, 0.7), "a"), (Box(2, 2, 1, 1), "b"), (Box(0.5, 0.5, -1, 0), "c")]
    )
    for label in labels:
        assert 0 <= label.area.left < label.area.right <= 640
        assert 0 <= label.area.top < label.area.bottom <= 480


def test_a_box_that_is_nowhere_is_left_out() -> None:
    assert arrange((640, 480), [(Box(nan, 0, 1, 1), "a"), (Box(0, inf, 1, 1), "b")])[1] == []


@settings(max_examples=120, deadline=None)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    labels=st.lists(st.tuples(st.builds(Box, *[st.floats(width=32)] * 4), st.text(max_size=60)), max_size=4),
)
def test_whatever_the_boxes_and_the_names_a_picture_comes_out(
    size: tuple[int, int], labels: list[tuple[Box, str]]
) -> None:
    assert draw(grey(*size), labels).size == size


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_the_shipped_font_has_every_letter_of_every_script(name: str) -> None:
    face = font(40)
    missing = bytes(face.getmask("\U0010ffff"))
    assert [c for c in name if c.strip() and bytes(face.getmask(c)) == missing] == []


def test_the_font_comes_with_its_licence_and_stays_small() -> None:
    assert "SIL OPEN FONT LICENSE" in (FONT.parent / "OFL.txt").read_text(encoding="utf-8")
    assert FONT.stat().st_size < 6_000_000


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("Ada\nLovelace\t\x00", "Ada Lovelace"),
        ("\u202egpj.exe\u202c", "gpj.exe"),
        ("\ud800Ada\ufeff", "Ada"),
        ("Zoe\u0308", "Zoë"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (" \u3000\u2028 ", ""),
    ],
)
def test_what_could_do_harm_in_a_name_is_taken_out(name: str, drawn: str) -> None:
    assert harmless(name) == drawn


def test_long_names_are_wrapped_at_spaces() -> None:
    face = font(20)
    lines = wrapped("Pablo Diego José Francisco de Paula", face, 180)
    assert 1 < len(lines) <= 3
    assert " ".join(lines) == "Pablo Diego José Francisco de Paula"
    assert all(face.getlength(line) <= 180 for line in lines)


def test_a_word_too_long_for_a_line_is_broken_but_never_between_a_letter_and_its_marks() -> None:
    face = font(20)
    lines = wrapped("ก็" * 40, face, 120, most=99)
    assert "".join(lines) == "ก็" * 40
    assert all(line.startswith("ก") for line in lines)


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    lines = wrapped("word " * 100_000, font(20), 200)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert font(20).getlength(lines[-1]) <= 200


def test_towers_of_marks_are_cut_down() -> None:
    assert len(wrapped("a" + "\u0317" * 200, font(20), 200)[0]) < 10


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Ada", "Ada"),
        ("אבי", "אבי"[::-1]),
        ("אבי 99.5", "99.5 " + "אבי"[::-1]),
        ("אבי (David) כהן", "כהן"[::-1] + " (David) " + "אבי"[::-1]),
        ("David אבי כהן 12", "David 12 " + "אבי כהן"[::-1]),
        ("אבי (Ann Lee) 7", "7 (Ann Lee) " + "אבי"[::-1]),
        ("Ann אבי Lee", "Ann " + "אבי"[::-1] + " Lee"),
        ("(אבי)", "(" + "אבי"[::-1] + ")"),
        ("שָׁל", "ל" + "שָׁ"),
        ("محمد", "\ufeaa\ufee4\ufea4\ufee3"),
        ("سلام", "\ufee1\ufefc\ufeb3"),
        ("پدر", "\ufead\ufeaa\ufb58"),
        ("مُحَمّد", "\ufeaa\ufee4\u0651\ufea4\u064e\ufee3\u064f"),
    ],
)
def test_without_raqm_names_still_run_to_the_left_and_arabic_is_joined(name: str, seen: str) -> None:
    assert visual(name, plain()) == seen


def test_raqm_gets_the_name_as_it_is_and_is_used_where_it_is() -> None:
    assert (visual("אבי", font(20)) == "אבי") is features.check("raqm")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab אבג محم01.()- \u0301\u200d\u0644\u0627"), max_size=20))
def test_no_letter_is_lost_on_the_way_to_the_left(name: str) -> None:
    kept = [c for c in visual(name, plain()) if c in "abאבג01"]
    assert sorted(kept) == sorted(c for c in name if c in "abאבג01")


# --- files ----------------------------------------------------------------------------------------------------


def test_a_picture_is_saved_as_jpeg_and_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    target = tmp_path / "ada.faces.jpg"
    target.write_text("older")
    save(grey(), target)
    with Image.open(target) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480))
    assert [path.name for path in tmp_path.iterdir()] == ["ada.faces.jpg"]


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*nowhere.*No such file"):
        save(grey(), tmp_path / "nowhere" / "ada.jpg")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        save(grey(), tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_picture_too_long_for_a_jpeg_is_saved_smaller(tmp_path: Path) -> None:
    save(grey(70_000, 8), tmp_path / "long.jpg")
    with Image.open(tmp_path / "long.jpg") as image:
        assert image.width == 65_000


def test_names_look_the_same_each_time() -> None:
    names = list(NAMES.values())
    random.Random(5).shuffle(names)
    labels = [(Box(0.3 * (n % 3), 0.1 * (n // 3), 0.1, 0.05), name) for n, name in enumerate(names)]
    assert draw(grey(1200, 900), labels).tobytes() == draw(grey(1200, 900), labels).tobytes()
