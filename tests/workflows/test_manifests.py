import json
import tracemalloc
from pathlib import Path

import pytest

from facesearch.errors import UsageError
from facesearch.workflows import planning

HEADER = "photo,person,key,notes,team\n"


def plan(paths, person=None, **options):
    """A plan of files alone."""
    return planning.plan(paths, None, person, **options)


def rows(path, **options):
    return [
        (Path(photo.path).name, photo.person and photo.person.name, photo.problem)
        for photo in plan([path], **options)
    ]


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_a_row_says_whom_a_photo_shows_and_what_is_known_of_them(tmp_path):
    text = HEADER + "a.jpg,Anna Ek,E-1,née Ek,ops\n/photos/b.jpg,Жанна,,,\n"
    one, other = plan([write(tmp_path / "list.csv", text)])
    assert (one.path, other.path) == (str(tmp_path / "a.jpg"), "/photos/b.jpg")
    assert (one.person.name, one.person.key, one.person.notes) == ("Anna Ek", "E-1", "née Ek")
    assert one.person.attributes == {"team": "ops"}
    assert (other.person.name, other.person.key, other.person.attributes) == ("Жанна", None, {})


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_of_any_spreadsheet_is_read(tmp_path, encoding, separator):
    lines = [
        ["photo", "person", "city"],
        ["ä.jpg", "José Ñandú", '"Köln, Deutz; am Rhein"'],
        ["b.jpg", "Zoë", ""],
    ]
    text = "\r\n".join(separator.join(line) for line in lines)
    one, other = plan([write(tmp_path / "list.csv", text, encoding)])
    assert (Path(one.path).name, one.person.name) == ("ä.jpg", "José Ñandú")
    assert one.person.attributes == {"city": "Köln, Deutz; am Rhein"}
    assert (Path(other.path).name, other.person.name) == ("b.jpg", "Zoë")


@pytest.mark.parametrize("told", ["sep=;", "sep=\t"])
def test_excels_own_first_line_is_no_header(tmp_path, told):
    separator = "\t" if told.endswith("\t") else ";"
    text = f"{told}\r\nPhoto{separator}Person\r\na.jpg{separator}Anna\r\nb.jpg\r\n"
    assert rows(write(tmp_path / "list.csv", text)) == [
        ("a.jpg", "Anna", None),
        ("b.jpg", None, "line 4: it says not whom the photo shows (person)"),
    ]


def test_a_tab_separated_file_may_have_commas_in_its_header(tmp_path):
    text = "photo\tperson\tname, first\na.jpg\tAnna\tA.\n"
    (one,) = plan([write(tmp_path / "list.tsv", text)])
    assert one.person.attributes == {"name, first": "A."}


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".JSONL"])
def test_json_lines_keep_their_values(tmp_path, suffix):
    lines = [
        {"photo": "a.jpg", "person": "Anna", "key": 7, "badge": 12, "tags": ["x"], "left": None},
        {"photo": "b.jpg", "person": "Ben", "notes": ""},
    ]
    text = "\n\n".join(map(json.dumps, lines))
    one, other = plan([write(tmp_path / f"list{suffix}", text)])
    assert (one.person.key, one.person.attributes) == ("7", {"badge": 12, "tags": ["x"]})
    assert (other.person.name, other.person.notes) == ("Ben", None)


def test_bad_rows_are_told_with_their_lines_and_the_others_are_planned(tmp_path):
    text = (
        HEADER
        + "a.jpg,Anna,,,\n"
        + ",Ben,,,\n"
        + "c.jpg,,,,\n"
        + '"d\nd.jpg",Dora,,,\n'
        + "e.jpg,Eve,,,,,what\n"
        + f"f.jpg,Fay,{'k' * 513},,\n"
        + 'g.jpg,"Gus"x,,,\n'
        + "\n  , \n"
        + "z.jpg,Zoë,,,,,\n"
    )
    assert rows(write(tmp_path / "list.csv", text)) == [
        ("a.jpg", "Anna", None),
        ("list.csv:3", None, "line 3: it names no photo"),
        ("c.jpg", None, "line 4: it says not whom the photo shows (person)"),
        ("d\nd.jpg", "Dora", None),
        ("list.csv:7", None, "line 7: it has 7 cells, and there are 5 columns"),
        ("f.jpg", None, "line 8: key must have 1 to 512 characters"),
        ("list.csv:9", None, "line 9: it cannot be read as CSV: ',' expected after '\"'"),
        ("z.jpg", "Zoë", None),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "it is not JSON"),
        ("[1]", "it is not a JSON object"),
        ("[" * 5000, "it is not JSON"),
        ('{"photo": "a.jpg"}', "it says not whom"),
        ('{"photo": 3, "person": "A"}', "it names no photo"),
        (r'{"photo": "a\u0000", "person": "A"}', "no file can have such a name"),
        ('{"photo": "a", "person": ["A"]}', "name must be text"),
        ('{"photo": "a", "person": "  "}', "name is empty"),
        (r'{"photo": "a", "person": "A", "x": "\ud800"}', "attributes hold a NUL or half a character"),
        ('{"photo": "a", "person": "A", "x": NaN}', "attributes cannot be kept"),
    ],
)
def test_a_bad_line_of_json_is_that_rows_problem(tmp_path, line, complaint):
    good = '{"photo": "b.jpg", "person": "Ben"}'
    bad, other = plan([write(tmp_path / "list.jsonl", f"{line}\n{good}\n")])
    assert bad.problem.startswith("line 1: ")
    assert complaint in bad.problem
    assert other.problem is None


def test_an_open_quote_does_not_swallow_a_large_file(tmp_path):
    text = HEADER + 'a.jpg,"Anna,,,\n' + "b.jpg,Ben,,,\n" * 50_000 + "c.jpg,Cleo,,,\n"
    planned = rows(write(tmp_path / "list.csv", text))
    assert "line 2: it cannot be read as CSV" in planned[0][2]
    lost = 50_002 - len(planned)
    assert f"the lines up to {lost + 2:,} are lost with it" in planned[0][2]
    assert planned[-1] == ("c.jpg", "Cleo", None)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"", "no column 'photo'"),
        ("a.csv", b"name,file\n", "its columns: name, file"),
        ("a.csv", b"photo,person,team,team\n", "the column 'team' twice"),
        ("a.csv", b"photo,\n", "no column 'person'"),
        ("b.csv", None, "there is no file"),
    ],
)
def test_a_manifest_without_its_columns_is_refused_before_the_first_photo(tmp_path, name, content, complaint):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=complaint):
        plan([tmp_path / name])


def test_a_byte_that_means_nothing_in_any_encoding_spoils_its_row_alone(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"photo,person\na.jpg,Jos\xe9\nb.jpg,J\x81\n")
    assert rows(path)[0] == ("a.jpg", "José", None)
    assert "line 3: it holds a character that cannot be read" in rows(path)[1][2]


def test_strict_refuses_every_row_when_one_is_bad(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"1")
    text = "photo,person\na.jpg,Anna\n,Ben\ngone.jpg,Cleo\n" + ",x\n" * 30
    with pytest.raises(UsageError, match="32 bad rows") as refused:
        plan([write(tmp_path / "list.csv", text)], strict=True)
    assert "line 3: it names no photo" in str(refused.value)
    assert "there is no file" in str(refused.value)
    assert "and 12 more" in str(refused.value)
    good = write(tmp_path / "good.csv", "photo,person\na.jpg,Anna\n")
    assert rows(good, strict=True) == [("a.jpg", "Anna", None)]


def test_a_manifest_is_never_held_in_memory(tmp_path):
    path = tmp_path / "list.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("photo,person,team\n")
        file.writelines(f"{n}.jpg,Person {n // 10},{n:01000}\n" for n in range(5_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in plan([path])) == 5_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_500_000 < path.stat().st_size / 2


def test_a_line_that_never_ends_takes_no_more_memory_than_a_long_one(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_bytes(b'{"photo": "' + b"a" * 30_000_000 + b'\n{"photo": "b.jpg", "person": "Ben"}\n')
    tracemalloc.start()
    try:
        bad, other = plan([path])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "it is not JSON" in bad.problem
    assert (other.person.name, len(bad.problem) < 500) == ("Ben", True)
    assert peak < 20_000_000
