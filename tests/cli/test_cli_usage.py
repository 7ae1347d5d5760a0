"""Parsing: help, versions, ids, thresholds and typing errors, before anything starts."""

import inspect
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import facesearch
from facesearch.cli import main

HEAVY = {"boto3", "botocore", "sqlalchemy", "alembic", "numpy", "onnx", "onnxruntime", "PIL", "rich"}


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="facesearch")


def commands(group, path=()):
    """Every command and group with the words that lead to it."""
    yield path, group
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, (*path, name))


ALL = dict(commands(main))


def test_every_command_of_the_documentation_is_there():
    assert {" ".join(path) for path in ALL if path} == {
        "enroll", "search", "detect", "compare", "config", "demo",
        "collection", "collection create", "collection list", "collection show", "collection delete",
        "person", "person list", "person show", "person edit", "person erase", "person merge", "person split",
        "face", "face list", "face delete",
        "engine", "engine serve", "engine keys", "engine keys create", "engine keys list", "engine keys revoke",
        "engine models", "engine models list", "engine models add", "engine models verify", "engine models use",
        "runs", "runs list", "runs show",
        "db", "db upgrade", "db current", "export", "import",
        "status", "reconcile", "usage", "verify", "tag", "tags", "tags search",
        "collection edit", "collection users", "calibrate", "explain", "sightings",
        "aws", "aws doctor", "aws template",
        "bucket", "bucket create", "bucket list", "bucket show", "bucket empty", "bucket delete",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_says_in_one_sentence_what_it_does_and_gives_an_example(path):
    command = ALL[path]
    assert command.help
    sentence, _, rest = inspect.cleandoc(command.help).partition("\n\n")
    assert sentence.endswith(".")
    assert "\b\nExample:\n  facesearch " in rest


@pytest.mark.parametrize("path", [path for path in ALL if isinstance(ALL[path], click.Group)], ids=" ".join)
def test_the_lists_of_commands_show_whole_sentences(path):
    _, _, listed = run(*path, "--help").stdout.partition("Commands:\n")
    assert len(listed.splitlines()) == len(ALL[path].commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed.splitlines())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_is_explained(path):
    for parameter in ALL[path].params:
        assert not isinstance(parameter, click.Option) or parameter.help


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_is_printed_for_both_flags(path, flag):
    result = run(*path, flag)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(('facesearch', *path))}")


def test_the_version_is_the_package_version():
    assert run("--version").stdout == f"facesearch, version {facesearch.__version__}\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["search", "--help"], ["config"]])
def test_help_version_and_settings_load_nothing_heavy(arguments):
    code = (
        "import sys\nfrom facesearch.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        f"assert not {HEAVY!r} & set(sys.modules), {HEAVY!r} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_command_loads_none_of_the_others():
    code = (
        "import sys\nfrom facesearch.cli import main\n"
        "try:\n    main(['usage', '--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted(set(sys.modules) & {f'facesearch.cli.{name}' for name in ('usage', 'search', 'enroll')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "facesearch.cli.usage"


@pytest.mark.parametrize(
    ("typed", "meant"), [("serch", "search"), ("enrol", "enroll"), ("colection", "collection")]
)
def test_a_typing_error_is_answered_with_the_command_that_was_meant(typed, meant):
    result = run(typed)
    assert result.exit_code == 2
    assert f"'{meant}'" in result.stderr


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 256, "a\n"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["enroll", ".", "-c"], ["search", "a.jpg", "-c"], ["face", "list", "-c"], ["face", "delete", "f", "-c"],
        ["person", "list", "-c"], ["collection", "create"], ["collection", "show"], ["collection", "delete"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_name_that_no_collection_can_have_is_refused_before_anything_starts(arguments, name, home):
    result = run(*arguments, name)
    assert result.exit_code == 2
    assert "cannot name a collection" in result.stderr
    assert [path.name for path in home.iterdir()] == ["cache"]


@pytest.mark.parametrize("threshold", ["-0.1", "100.1", "nan", "inf", "eighty", ""])
@pytest.mark.parametrize(
    "command", [["search", "a.jpg", "-c", "staff"], ["compare", "a.jpg", "b.jpg"]], ids=str
)
def test_a_threshold_outside_0_to_100_is_refused(command, threshold):
    result = run(*command, "--threshold", threshold)
    assert result.exit_code == 2
    assert "--threshold" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "a.jpg"],
        ["search", "-c", "staff"],
        ["search", "a.jpg", "-c", "staff", "--max-matches", "0"],
        ["search", "a.jpg", "-c", "staff", "--jobs", "0"],
        ["search", "a.jpg", "-c", "staff", "-o", "xml"],
        ["enroll", "."],
        ["enroll", ".", "-c", "staff", "--on-multiple", "some"],
        ["person", "edit", "Ada"],
        ["person", "edit", "Ada", "--attributes", "[1]"],
        ["person", "edit", "Ada", "--attributes", "{"],
        ["face", "delete", "-c", "staff"],
    ],
    ids=" ".join,
)
def test_a_call_that_cannot_be_meant_ends_with_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_an_engine_that_is_none_is_a_matter_of_configuration():
    result = run("collection", "list", "--engine", "ftp://nowhere")
    assert result.exit_code == 4
    assert result.stderr.startswith("error: engine (from argument) must be embedded, aws or a URL")
