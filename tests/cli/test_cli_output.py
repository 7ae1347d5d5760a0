"""Rendering: the documented JSON, flat CSV, lines that stream, and tables that fit."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from facesearch.cli.compare import COMPARED_FACES
from facesearch.cli.deletions import show_deletion
from facesearch.cli.detect import SEEN_FACES
from facesearch.cli.enroll import PROBLEM_COLUMNS, report_shape, summary
from facesearch.cli.faces import FACES
from facesearch.cli.output import Format, Stream, nearby, show_list, show_one
from facesearch.cli.people import PEOPLE
from facesearch.cli.search import SEARCHES
from facesearch.cli.tables import table_text
from facesearch.domain import (
    Box,
    Collection,
    ComparedFace,
    Deletion,
    EnrolledFace,
    EnrolmentReport,
    Face,
    FaceDetail,
    Landmark,
    ListedFace,
    Person,
    PersonMatch,
    PersonSummary,
    Photo,
    PhotoOutcome,
    PhotoSearch,
    PhotoStatus,
    Pose,
    Quality,
    SearchedFace,
    SearchStatus,
)

BOX = Box(0.25, 0.125, 0.5, 0.5)
BOX_JSON = {"left": 0.25, "top": 0.125, "width": 0.5, "height": 0.5}
FACE_ID = "5b1c40e5-1c3c-4b0c-9a5b-6f3c3d0a7c11"
NOON = datetime(2024, 11, 3, 12, tzinfo=UTC)
ADA = Person("a" * 32, "Ada Lovelace", "1815", {"team": "engines"}, "wrote the first program", NOON)
PHOTO = Photo("b" * 64, "people/Ada Lovelace/1.jpg")
DETAIL = FaceDetail(BOX, 99.5, Pose(1.0, 2.0, 3.0), Quality(70.0, 80.0), (Landmark("nose", 0.5, 0.4),))


def searched(path, *matches, status=SearchStatus.MATCHED):
    return PhotoSearch(path, status, (SearchedFace(BOX, 99.5, matches),))


MATCH = PersonMatch(ADA, 98.7654, FACE_ID, PHOTO, "x:y", agreeing=3, enrolled=4, margin=17.2654)
STRAY = PersonMatch(None, 81.5, FACE_ID, None)
RESULTS = [
    searched("a.jpg", MATCH, STRAY),
    searched("b.jpg", status=SearchStatus.UNMATCHED),
    PhotoSearch("c.jpg", SearchStatus.NO_FACE, reason="the photo shows no face"),
    PhotoSearch("d.jpg", SearchStatus.UNREADABLE, reason="the file is empty"),
]
HEAD = {"engine": "embedded", "collection": "staff", "threshold": 80.0}


def rows_of(view, items):
    return [row for item in items for row in view.rows(item)]


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_search_in_json_has_the_documented_shape(capsys):
    show_list(Format.JSON, SEARCHES, RESULTS[:1], HEAD)
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "engine": "embedded",
        "collection": "staff",
        "threshold": 80.0,
        "photos": [
            {
                "photo": "a.jpg",
                "status": "matched",
                "reason": None,
                "faces": [
                    {
                        "box": BOX_JSON,
                        "confidence": 99.5,
                        "matches": [
                            {
                                "person": {
                                    "id": "a" * 32,
                                    "key": "1815",
                                    "name": "Ada Lovelace",
                                    "attributes": {"team": "engines"},
                                },
                                "similarity": 98.7654,
                                "face_id": FACE_ID,
                                "photo": "people/Ada Lovelace/1.jpg",
                                "agreeing_faces": 3,
                                "enrolled_faces": 4,
                                "margin": 17.2654,
                                "user_id": None,
                                "false_match_rate": None,
                            },
                            {
                                "person": None,
                                "similarity": 81.5,
                                "face_id": FACE_ID,
                                "photo": None,
                                "agreeing_faces": 1,
                                "enrolled_faces": None,
                                "margin": None,
                                "user_id": None,
                                "false_match_rate": None,
                            },
                        ],
                        "reason": None,
                    }
                ],
            }
        ],
    }


def test_the_lines_of_ndjson_are_the_items_of_the_document(capsys):
    show_list(Format.JSON, SEARCHES, RESULTS, HEAD)
    document = json.loads(capsys.readouterr().out)
    show_list(Format.NDJSON, SEARCHES, RESULTS, HEAD)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == document["photos"]


@pytest.mark.parametrize("form", [Format.NDJSON, Format.CSV])
def test_what_streams_is_written_when_it_arrives(form, capsys):
    def arriving():
        yield RESULTS[0]
        assert "a.jpg" in capsys.readouterr().out
        yield RESULTS[1]

    show_list(form, SEARCHES, arriving())
    assert "b.jpg" in capsys.readouterr().out


def test_a_search_in_csv_is_one_match_a_row_and_a_row_for_each_photo_without_one(capsys):
    show_list(Format.CSV, SEARCHES, RESULTS)
    rows = read_csv(capsys.readouterr().out)
    assert [(row["photo"], row["status"], row["person_name"], row["similarity"]) for row in rows] == [
        ("a.jpg", "matched", "Ada Lovelace", "98.7654"),
        ("a.jpg", "matched", "", "81.5"),
        ("b.jpg", "unmatched", "", ""),
        ("c.jpg", "no_face", "", ""),
        ("d.jpg", "unreadable", "", ""),
    ]
    assert rows[0]["person_key"] == "1815"
    assert [rows[0][name] for name in ("agreeing_faces", "enrolled_faces", "margin")] == ["3", "4", "17.2654"]
    assert rows[2]["box_left"] == "0.25"
    assert rows[3]["reason"] == "the photo shows no face"


def test_a_formula_in_a_name_does_not_reach_the_spreadsheet(capsys):
    mallory = PersonMatch(Person("c" * 32, "=HYPERLINK(1)", "-1"), 90.0, FACE_ID, Photo("b" * 64, "+x.jpg"))
    show_list(Format.CSV, SEARCHES, [searched("@a.jpg", mallory)])
    row = read_csv(capsys.readouterr().out)[0]
    texts = (row["person_name"], row["person_key"], row["matched_photo"], row["photo"])
    assert texts == ("'=HYPERLINK(1)", "'-1", "'+x.jpg", "'@a.jpg")


def test_a_table_tells_the_four_answers_apart(capsys):
    show_list(Format.TABLE, SEARCHES, RESULTS)
    out = capsys.readouterr().out.splitlines()
    assert out[0].split("  ")[0] == "photo"
    assert [line.split()[0:3] for line in out[1:]] == [
        ["a.jpg", "found", "Ada"],
        ["a.jpg", "found", "not"],
        ["b.jpg", "no", "match"],
        ["c.jpg", "no", "face"],
        ["d.jpg", "unreadable", "the"],
    ]
    assert "98.77" in out[1]
    assert "17.27" in out[1]
    assert "3 of 4" in out[1]
    assert FACE_ID in out[2]


def test_an_empty_table_is_a_word_to_the_person_and_nothing_to_the_pipe(capsys):
    show_list(Format.TABLE, PEOPLE, [])
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "nobody on record\n")


@pytest.mark.parametrize("width", [80, 100, 132, 200])
def test_a_table_keeps_to_the_width_of_the_terminal(width):
    long = "/srv/photos/" + "sub folder/" * 20 + "last.jpg"
    who = Person("a" * 32, "山田 太郎 " * 12, "k" * 30)
    results = [
        searched(long, PersonMatch(who, 100.0, FACE_ID, Photo("b" * 64, long))),
        PhotoSearch(long, SearchStatus.UNREADABLE, reason="word " * 40),
    ]
    lines = table_text(SEARCHES.columns, rows_of(SEARCHES, results), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert any("last.jpg" in line for line in lines)


def test_ids_are_whole_however_narrow_the_terminal():
    known = EnrolledFace(Face(FACE_ID, "i", BOX, 99.5), "staff", ADA, PHOTO, None, None, NOON)
    table = table_text(FACES.columns, rows_of(FACES, [ListedFace(known.face, known)]), 30)
    assert FACE_ID in table


def test_columns_without_a_value_are_left_out_of_a_table():
    table = table_text(PEOPLE.columns, rows_of(PEOPLE, [PersonSummary(Person("c" * 32, "Grace"), {})]), 80)
    assert table.splitlines()[0].split() == ["id", "name", "faces"]


def test_a_name_cannot_command_the_terminal_from_a_table():
    evil = PersonSummary(Person("c" * 32, "\x1b]0;owned\x07[red]Bob\u202e", attributes={"a": "\x9b2J"}), {})
    table = table_text(PEOPLE.columns, rows_of(PEOPLE, [evil]), 80)
    assert r"\x1b]0;owned\x07[red]Bob\u202e" in table


def test_a_face_in_json_has_its_person_and_its_photo(capsys):
    face = Face(FACE_ID, "image-1", BOX, 99.5, "x:y", "7.0")
    known = EnrolledFace(face, "staff", ADA, PHOTO, Pose(1.0, 2.0, 3.0), Quality(70.0, 80.0), NOON)
    show_list(Format.JSON, FACES, [ListedFace(face, known), ListedFace(face, None)], {"collection": "staff"})
    document = json.loads(capsys.readouterr().out)
    ours, stray = document["faces"]
    assert document["schema"] == 1
    assert ours["face_id"] == FACE_ID
    assert ours["person"]["name"] == "Ada Lovelace"
    assert ours["photo"] == {"path": "people/Ada Lovelace/1.jpg", "sha256": "b" * 64}
    assert ours["enrolled_at"] == "2024-11-03T12:00:00+00:00"
    assert ours["pose"] == {"roll": 1.0, "yaw": 2.0, "pitch": 3.0}
    assert ours.keys() == stray.keys()
    assert stray["person"] is stray["photo"] is stray["pose"] is None


def test_one_person_is_shown_field_by_field(capsys):
    summary_of_ada = PersonSummary(ADA, {"staff": 3, "guests": 1})
    show_one(Format.TABLE, PEOPLE, summary_of_ada, "person")
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert ["name", "Ada Lovelace"] in lines
    assert ["attributes", '{"team": "engines"}'] in lines
    assert ["faces", "4"] in lines
    assert ["collections", "staff: 3, guests: 1"] in lines
    show_one(Format.JSON, PEOPLE, summary_of_ada, "person")
    person = json.loads(capsys.readouterr().out)["person"]
    assert person["faces"] == {"staff": 3, "guests": 1}
    assert person["notes"] == "wrote the first program"
    show_one(Format.NDJSON, PEOPLE, summary_of_ada, "person")
    assert json.loads(capsys.readouterr().out) == person


def test_seen_and_compared_faces_have_a_row_each(capsys):
    show_list(Format.CSV, SEEN_FACES, [DETAIL, FaceDetail(BOX, 50.0)])
    seen = read_csv(capsys.readouterr().out)
    assert (seen[0]["yaw"], seen[1]["yaw"], seen[1]["confidence"]) == ("2.0", "", "50.0")
    show_list(Format.CSV, COMPARED_FACES, [ComparedFace(DETAIL, 97.5), ComparedFace(DETAIL, None)])
    compared = read_csv(capsys.readouterr().out)
    assert [(row["match"], row["similarity"]) for row in compared] == [("true", "97.5"), ("false", "")]
    show_list(Format.JSON, COMPARED_FACES, [ComparedFace(DETAIL, 97.5)])
    face = json.loads(capsys.readouterr().out)["faces"][0]
    assert (face["match"], face["similarity"]) == (True, 97.5)
    assert face["landmarks"] == [{"type": "nose", "x": 0.5, "y": 0.4}]


def test_a_deletion_says_what_went_where_and_what_was_kept(capsys):
    complete = Deletion({"staff": 3}, 3, 1)
    partial = Deletion({"staff": 1}, 1, refused={FACE_ID: ("ASSOCIATED_TO_AN_EXISTING_USER",)})
    assert show_deletion(Format.JSON, complete) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "deleted": {"faces": {"staff": 3}, "face_records": 3, "people": 1},
        "refused": [],
    }
    assert show_deletion(Format.TABLE, partial) == 3
    out = capsys.readouterr().out
    assert "collection staff" in out
    assert f"face {FACE_ID}" in out
    assert "ASSOCIATED_TO_AN_EXISTING_USER" in out


def enrolment():
    counts = {PhotoStatus.ENROLLED: 2, PhotoStatus.ALREADY: 1, PhotoStatus.NO_FACE: 1, PhotoStatus.FAILED: 0}
    problem = PhotoOutcome("people/Ada/wall.jpg", "Ada", PhotoStatus.NO_FACE, "the photo shows no face")
    return EnrolmentReport("run-1", Collection("staff", "arn", "7.0", NOON), counts, (problem,), 1, 1.23456)


def test_an_enrolment_in_json_accounts_for_every_photo():
    shape = report_shape(enrolment(), "embedded")
    assert shape == {
        "run": "run-1",
        "engine": "embedded",
        "collection": "staff",
        "photos": {
            "total": 4,
            "enrolled": 2,
            "already": 1,
            "no_face": 1,
            "several_faces": 0,
            "filtered": 0,
            "conflict": 0,
            "unreadable": 0,
            "failed": 0,
        },
        "people": 1,
        "settled_first": 0,
        "seconds": 1.235,
        "problems": [
            {
                "photo": "people/Ada/wall.jpg",
                "person": "Ada",
                "status": "no_face",
                "reason": "the photo shows no face",
            }
        ],
        "problems_left_out": 0,
        "conflicts": [],
        "exact_duplicates": 0,
        "near_duplicates": 0,
        "duplicates": [],
    }


def test_the_summary_of_an_enrolment_names_each_state_that_occurred():
    lines = [line.split() for line in summary(enrolment())]
    assert lines[0][:5] == ["4", "photos", "of", "1", "person"]
    assert lines[1:] == [["enrolled", "2"], ["already", "there", "1"], ["no", "face", "1"]]


def test_every_state_that_needs_somebody_has_advice():
    from facesearch.cli.enroll import OUTCOMES

    for status in set(PhotoStatus) - {PhotoStatus.ENROLLED, PhotoStatus.ALREADY}:
        row = next(iter(OUTCOMES.rows(PhotoOutcome("a.jpg", None, status, "why"))))
        assert row["advice"]
        assert row["word"] in table_text(PROBLEM_COLUMNS, [row], 80)


def test_streams_of_csv_begin_with_their_header_even_when_nothing_follows(capsys):
    Stream(Format.CSV, FACES)
    assert capsys.readouterr().out.startswith("face_id,person_id,")


def test_paths_below_the_current_folder_are_shown_as_one_would_type_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nearby(str(tmp_path / "people" / "a.jpg")) == "people/a.jpg"
    assert nearby("/elsewhere/a.jpg") == "/elsewhere/a.jpg"
    assert nearby("a.jpg") == "a.jpg"
