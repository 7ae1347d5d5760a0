"""The demo's judgement: what counts as right, and that wrong is said and is no success."""

import json
import shutil

import pytest
from click.testing import CliRunner

from facesearch.cli import main
from facesearch.cli.demo import checked, read_queries
from facesearch.domain import Box, Person, PersonMatch, Photo, PhotoSearch, SearchedFace, SearchStatus

SMALL, LARGE = (
    {"left": 0, "top": 0, "width": 0.1, "height": 0.2},
    {"left": 0.5, "top": 0, "width": 0.3, "height": 0.3},
)


def label(kind, *faces):
    """A query as labels.json has it; faces are (folder or None, box)."""
    return {
        "photo": f"queries/{kind}.jpg",
        "kind": kind,
        "shows": [person for person, _ in faces if person],
        "faces": [{"person": person, "box": box} for person, box in faces],
    }


LABELS = {
    "person": label("person", ("Ada", LARGE)),
    "rotated": label("rotated", ("Ada", LARGE)),
    "group": label("group", ("Grace", SMALL), ("Ada", LARGE), ("Zoë", SMALL)),
    "stranger": label("stranger", (None, LARGE)),
    "empty": label("empty"),
}


@pytest.fixture
def queries(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps({"people": {}, "queries": list(LABELS.values())}))
    return {query.kind: query for query in read_queries(tmp_path)}


def found(*names, status=SearchStatus.MATCHED):
    matches = tuple(PersonMatch(Person("a" * 32, name), 90.0, "f", Photo("b" * 64, "p")) for name in names)
    faces = (SearchedFace(Box(0, 0, 1, 1), 99.0, matches),) if status is not SearchStatus.NO_FACE else ()
    return PhotoSearch("q", status, faces)


@pytest.mark.parametrize(
    ("kind", "result", "verdict"),
    [
        ("person", found("Ada"), "right"),
        ("person", found("Ada", "Grace"), "right"),
        ("person", found("Grace", "Ada"), "WRONG"),
        ("person", found(status=SearchStatus.UNMATCHED), "WRONG"),
        ("rotated", found("Ada"), "right"),
        ("rotated", found(status=SearchStatus.NO_FACE), "WRONG"),
        ("group", found("Ada"), "right"),
        ("group", found("Grace"), "WRONG"),
        ("stranger", found(status=SearchStatus.UNMATCHED), "right"),
        ("stranger", found("Ada"), "WRONG"),
        ("empty", found(status=SearchStatus.NO_FACE), "right"),
        ("empty", found(status=SearchStatus.UNMATCHED), "WRONG"),
        ("empty", PhotoSearch("q", SearchStatus.UNREADABLE, reason="gone"), "WRONG"),
    ],
)
def test_an_answer_is_right_only_when_it_is_the_truth_about_the_largest_face(queries, kind, result, verdict):
    assert checked(queries[kind], result)["verdict"] == verdict


def test_the_table_says_who_is_there_and_who_was_found(queries):
    rows = [
        checked(queries[kind], found("Ada")) for kind in ("person", "rotated", "group", "stranger", "empty")
    ]
    assert [row["there"] for row in rows] == [
        "Ada",
        "Ada, rotated",
        "Ada and 2 others",
        "a stranger",
        "nobody",
    ]
    assert rows[0]["found"] == "Ada"
    assert checked(queries["stranger"], found(status=SearchStatus.UNMATCHED))["found"] == "nobody known"
    stray = SearchedFace(Box(0, 0, 1, 1), 99.0, (PersonMatch(None, 90.0, "f", None),))
    assert checked(queries["person"], PhotoSearch("q", SearchStatus.MATCHED, (stray,)))["verdict"] == "WRONG"


def test_a_demo_with_a_wrong_answer_is_no_success(samples, tmp_path, monkeypatch):
    labels = json.loads((samples / "labels.json").read_text(encoding="utf-8"))
    query = next(query for query in labels["queries"] if query["kind"] == "stranger")
    person = next(path for path in sorted((samples / "people").iterdir()) if path.is_dir())
    shutil.copytree(person, tmp_path / "people" / person.name)
    (tmp_path / "queries").mkdir()
    shutil.copy(samples / query["photo"], tmp_path / "queries")
    claim = {**query, "shows": [person.name], "faces": [{**query["faces"][0], "person": person.name}]}
    (tmp_path / "labels.json").write_text(json.dumps({"people": {}, "queries": [claim]}))
    monkeypatch.setattr("facesearch.shipped.shipped", lambda _: tmp_path)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].endswith("WRONG")
    assert "0 of 1 answers right" in result.stderr
