"""What a page says, that it asks for nothing from outside, and that nobody's name becomes part of it."""

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facesearch.domain import Person, Photo, SearchStatus
from facesearch.domain.calibration import Calibration, Point, Rate, Threshold, WantedRate
from facesearch.reporting.markup import Html, element, joined

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "' onmouseover=alert(1) x='",
    "</title></style></svg><h1>gone</h1>",
    "&lt;b&gt; &amp; ]]> <!-- -->",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
]


# --- what it asks for -------------------------------------------------------------------------------------------


def test_a_page_holds_all_it_shows_and_forbids_the_rest(search, made):
    page = made(search.found(search.photo(), [search.match(), search.match("Grace", 88.0)], []))
    assert {one.tag for one in page.elements} & {
        "script",
        "link",
        "iframe",
        "object",
        "form",
        "base",
    } == set()
    for one in page.elements:
        assert not [name for name in one.attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            assert re.match("#|data:image/jpeg;base64,|$", one.attributes.get(name) or "")
    style = page.text("style")
    assert "url(" not in style
    assert "@import" not in style
    [policy] = [meta.attributes["content"] for meta in page.all("meta") if "http-equiv" in meta.attributes]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_every_link_leads_somewhere_and_every_id_is_one_elements(search, made):
    photos = [search.photo(f"{number}.jpg", seed=number) for number in range(3)]
    page = made(*(search.found(path, [search.match()], []) for path in photos))
    ids = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    targets = {one.attributes["href"] for one in page.all("a")}
    assert {f"#{id_}" for id_ in ids} >= targets
    assert {"#photo-2", "#photo-3-face-1", "#photo-3-face-2"} <= targets
    labels = {
        one.attributes["aria-labelledby"] for one in page.elements if "aria-labelledby" in one.attributes
    }
    assert labels <= set(ids)


def test_nothing_that_a_photo_said_of_itself_is_in_the_page(search, made):
    path = search.photo()
    with Image.open(path) as photo:
        exif = photo.getexif()
        exif[0x010E] = "SECRET description"
        exif[0x0112] = 1
        exif.get_ifd(0x8825)[1] = "SECRET place"
        photo.save(path, exif=exif, comment=b"SECRET comment", xmp=b"<x>SECRET xmp</x>", quality=90)
    assert path.read_bytes().count(b"SECRET") >= 3
    match = search.match()
    with Image.open(match.photo.path) as photo:
        photo.save(match.photo.path, comment=b"SECRET comment", exif=exif)
    digest = hashlib.sha256(Path(match.photo.path).read_bytes()).hexdigest()
    page = made(search.found(path, [replace(match, photo=Photo(digest, match.photo.path))]))
    assert len(page.pictures()) == 3
    assert not [data for data in page.pictures() if b"SECRET" in data or b"Exif" in data]
    assert not [image.info for image in page.images() if {"exif", "comment", "xmp"} & image.info.keys()]


# --- hostile text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_names_paths_and_reasons_stay_text(search, made, heading, text):
    path = search.photo("x" + text.replace("/", "\u2044") + ".jpg")
    match = search.match(text)
    match = replace(match, person=replace(match.person, key=text), face_id=text)
    face = replace(search.found(path, []).faces[0], reason=text)
    result = search.found(path, [match, search.match(text, 90.0)], [])
    result = replace(result, faces=(*result.faces, face), reason=text)
    plain = replace(result, path=str(search.photo("plain.jpg")))
    page = made(result, head=replace(heading, made_by=text, engine=text))
    assert page.text("h1") == f"Found: {text}"
    assert page.text("title") == f"Found: {text}"
    assert text in page.text("section")
    assert [h.text for h in page.all("h3")] == [f"1 {text}", "2 nobody found", "3 not searched"]
    harmless = made(plain, head=replace(heading, made_by="x", engine="x"))
    assert [one.tag for one in page.elements] == [one.tag for one in harmless.elements]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40), attribute=st.text(max_size=40))
def test_whatever_the_text_an_element_is_one_element(text, attribute):
    seen = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, [name for name, _ in attrs]))

        def handle_startendtag(self, tag, attrs):
            seen.append((tag, [name for name, _ in attrs]))

    html = element("p", text, title=attribute)
    parser = Parser()
    parser.feed(html)
    parser.close()
    assert seen == [("p", ["title"])]
    html.encode("utf-8")


def test_text_put_together_by_mistake_is_escaped_and_not_trusted():
    bold = element("b", "x")
    assert joined(bold + "<i>") == "&lt;b&gt;x&lt;/b&gt;&lt;i&gt;"
    assert joined(bold, Html("<i>")) == "<b>x</b><i>"


def test_what_cannot_be_seen_is_written_as_an_escape(search, made):
    path = search.photo("gpj.\u202eexe\udcff.jpg")
    page = made(search.found(path, [search.match("Ada\u202e\x00\n\ud800")]))
    assert page.text("h1") == r"Found: Ada\u202e\x00\n\ud800"
    assert r"gpj.\u202eexe\udcff.jpg" in page.text("h2")


# --- what it says -----------------------------------------------------------------------------------------------


def test_the_answer_comes_first(search, made):
    path = search.photo()
    assert made(search.found(path, [search.match()])).text("h1") == "Found: Ada Lovelace"
    assert made(search.found(path, [])).text("h1") == "Nobody was found"
    both = made(search.found(path, [search.match()], [search.match("Grace Hopper", 91.0)], []))
    assert both.text("h1") == "2 people found"
    assert both.text("p", "lede") == "3 faces in 1 photo: 2 found, 1 without a match."
    [first, second] = both.all("span", "who")
    assert (first.text, second.text) == ("Ada Lovelace", "Grace Hopper")
    assert [one.text for one in both.all("span", "where")] == ["face 1", "face 2"]


def test_a_person_of_many_photos_is_named_once_with_all_of_them(search, made):
    paths = [search.photo(f"{number}.jpg", seed=number) for number in range(14)]
    ada = search.match()
    page = made(
        *(search.found(path, [ada], [ada]) for path in paths), search.found(search.photo("z.jpg"), [])
    )
    assert page.text("h1") == "Found: Ada Lovelace"
    links = [f"photo {number}" for number in range(1, 13)]
    assert page.text("span", "where") == f"{', '.join(links)} and 2 more"
    assert len(page.all("section")) == 15
    assert page.text("summary") == "15 photos"
    assert [one.text for one in page.all("span", "chip")][-2:] == ["found", "no match"]


def lines(page):
    """The facts of a page, each with its name."""
    return [(name.text, value.text) for name, value in zip(page.all("dt"), page.all("dd"), strict=True)]


def test_a_match_is_said_with_what_it_is_measured_against(search, made):
    page = made(search.found(search.photo(), [search.match(similarity=97.126, agreeing=2, margin=12.5)]))
    assert page.text("p", "score") == "97.13 similar · threshold 80"
    said = dict(lines(page))
    assert said["threshold"] == "80"
    assert said["next person"] == "12.50 less similar"
    assert said["faces that agree"] == "2 of 3"
    assert said["made"] == "1 March 2026, 12:00 UTC"
    assert said["by"] == "anna on porch"
    assert (said["engine"], said["face model version"]) == ("embedded", "1.0")
    assert said["collection"] == "staff, 21 faces"
    assert not [name for name in said if "false" in name]


def test_in_a_collection_that_was_measured_similarities_have_a_meaning(search, made, heading):
    rates = [Rate(0.01, 0.008, 0.0125), Rate(0.00043, 0.0001, 0.0012)]
    points = tuple(
        Point(similarity, rate, rate, None) for similarity, rate in zip((90, 97), rates, strict=True)
    )
    known = Calibration("1.0", heading.made_at, 200, 100, 9000, 100, 100, points)
    head = replace(heading, threshold=Threshold(91.237, "collection", WantedRate(0.01), known))
    some = search.match(similarity=97.5, false_match_rate=known.rate_at(97.5))
    none = search.match("Grace", 99.0, false_match_rate=Rate(0.0, 0.0, 0.0003))
    page = made(search.found(search.photo(), [some], [none]), head=head)
    said = lines(page)
    assert dict(said)["threshold"] == "91.24, for fmr=0.01, the collection's own"
    assert [value for name, value in said if name.startswith("false matches")] == [
        "1 % of other people are as similar (95 %: 0.8 % to 1.2 %)",
        "0.043 % of other people are as similar (95 %: 0.01 % to 0.12 %)",
        "less than 0.03 % of other people are as similar",
    ]
    assert "measured on 100 people of this collection on 1 March 2026" in page.text("footer")


def test_others_above_the_threshold_are_shown_behind_the_best(search, made):
    matches = [search.match(), search.match("Grace", 88.0), search.match("Eve", 85.0)]
    page = made(search.found(search.photo(), matches))
    assert page.text("h1") == "Found: Ada Lovelace"
    assert page.text("summary") == "2 more people above the threshold"
    assert [one.text for one in page.all("h4")] == ["Grace", "Eve"]
    assert [one.text for one in page.all("strong")] == ["97.50", "88.00", "85.00"]
    assert len(page.images()) == 7


@pytest.mark.parametrize(
    ("status", "reason", "chip"),
    [
        (SearchStatus.NO_FACE, "it shows no face", "no face"),
        (SearchStatus.UNREADABLE, "there is no such file", "unreadable"),
    ],
)
def test_a_photo_without_an_answer_says_why(search, made, status, reason, chip):
    page = made(search.found(search.photo(), status=status, reason=reason))
    assert page.text("h1") == "Nobody was found"
    assert page.text("span", "chip") == chip
    assert reason in page.text("section")
    assert page.all("article") == []


def test_a_face_that_the_records_do_not_know_is_called_by_its_id(search, made):
    page = made(search.found(search.photo(), [search.match(None)]))
    assert page.text("h1") == "Found: face ffffffff, not on record"
    assert "The records do not know this face." in page.text("article")


def test_somebody_found_as_a_user_has_no_single_face_to_show(search, made):
    user = {"face_id": None, "photo": None, "box": None, "agreeing": None, "user_id": "u-1"}
    known, unknown = replace(search.match(), **user), replace(search.match(None), **user)
    page = made(search.found(search.photo(), [known], [unknown]))
    assert [one.text for one in page.all("h3")] == ["1 Ada Lovelace", "2 user u-1, not on record"]
    assert [one.text for one in page.all("p", "nothing")] == ["Found by all their faces together."] * 2
    names = [name for name, _ in lines(page)]
    assert names.count("UserId") == 2
    assert not {"FaceId", "faces that agree", "photo on record"} & set(names)


def test_a_page_about_nothing_is_a_page(made):
    page = made()
    assert page.text("h1") == "Nobody was found"
    assert page.text("p", "lede") == "0 faces in 0 photos."


# --- files that are not what they were ------------------------------------------------------------------------


def test_the_photo_of_a_match_that_is_gone_or_changed_is_said(search, made):
    gone, changed, unseen, broken = (search.match(name, 90.0 + n) for n, name in enumerate("ABCD"))
    Path(gone.photo.path).unlink()
    Path(changed.photo.path).write_bytes(Path(broken.photo.path).read_bytes())
    Path(broken.photo.path).write_bytes(b"\xff\xd8\xffnothing")
    digest = hashlib.sha256(b"\xff\xd8\xffnothing").hexdigest()
    broken = replace(broken, photo=replace(broken.photo, sha256=digest))
    unseen = replace(unseen, photo=Photo("c" * 32, ""))
    page = made(search.found(search.photo(), *([one] for one in (gone, changed, unseen, broken))))
    said = [one.text for one in page.all("p", "nothing")]
    assert said == [
        "The photo cannot be shown: there is no such file.",
        "The file has changed since it was enrolled.",
        "Its photo was never seen here.",
        "The photo cannot be shown: it is truncated or damaged and cannot be decoded.",
    ]


def test_a_photo_that_changed_while_it_was_searched_is_not_shown_with_boxes_of_another(search, made):
    path = search.photo()
    result = search.found(path, [search.match()])
    search.photo(path.name, seed=9)
    page = made(result)
    assert "The file has changed since it was searched." in page.text("section")
    path.unlink()
    assert "The photo cannot be shown: there is no such file." in made(result).text("section")
    assert len(made(result).images()) == 1


def test_a_person_without_a_key_has_no_line_for_it(search, made):
    page = made(search.found(search.photo(), [search.match()]))
    assert "key" not in [one.text for one in page.all("dt")]
    keyed = replace(search.match(), person=Person("a" * 32, "Ada", key="E-1"))
    assert "key" in [one.text for one in made(search.found(search.photo(), [keyed])).all("dt")]
