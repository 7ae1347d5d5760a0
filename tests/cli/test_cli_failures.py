"""Errors: each kind has its exit code and its sentence, in one place."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from facesearch import errors
from facesearch.cli.failures import Program


def end_of(raised):
    """How a program ends whose only command raises."""
    program = Program("facesearch")

    @program.command()
    def fail():
        raise raised

    return CliRunner().invoke(program, ["fail"])


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (errors.UsageError("nobody called Ada"), 2),
        (errors.UnreadablePhotoError("the file is empty", "a.jpg"), 2),
        (errors.NoFaceError("the photo shows no face"), 2),
        (errors.ConfigurationError("no such setting"), 4),
        (errors.CredentialsError("no credentials"), 4),
        (errors.AccessDeniedError("rekognition:IndexFaces is not allowed"), 4),
        (errors.DatabaseError("the records cannot be reached"), 4),
        (errors.ServiceError("the service failed"), 5),
        (errors.CollectionNotFoundError("no collection staff"), 5),
        (errors.ThrottledError("too many calls"), 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_is_a_sentence_and_a_code_without_a_traceback(raised, code):
    result = end_of(raised)
    assert result.exit_code == code
    assert result.stderr == f"error: {raised}\n"
    assert result.stdout == ""


def test_every_error_that_is_raised_on_purpose_has_a_code():
    kinds = {errors.FaceSearchError}
    while more := {child for kind in kinds for child in kind.__subclasses__()} - kinds:
        kinds |= more
    for kind in kinds - {errors.FaceSearchError}:
        assert end_of(kind("x")).exit_code in (2, 4, 5, 6), kind


def test_a_full_disk_is_told_with_the_file_and_without_a_traceback():
    result = end_of(OSError(errno.ENOSPC, "No space left on device", "faces.jpg"))
    assert result.exit_code == 4
    assert result.stderr == "error: faces.jpg: No space left on device\n"


def test_an_error_of_the_system_without_words_is_still_told():
    assert end_of(OSError("odd")).stderr == "error: odd\n"


def test_names_in_errors_cannot_command_the_terminal():
    assert end_of(errors.UsageError("nobody called \x1b[2J\n")).stderr == "error: nobody called \\x1b[2J\\n\n"


def test_a_fault_of_our_own_shows_its_traceback_and_says_whose_it_is():
    result = end_of(ZeroDivisionError("by \x1b"))
    assert result.exit_code == 70
    assert "Traceback (most recent call last):" in result.stderr
    assert "ZeroDivisionError: by \\x1b" in result.stderr
    assert "fault of facesearch" in result.stderr


@pytest.mark.parametrize(
    "raised", [KeyboardInterrupt(), click.Abort()], ids=lambda value: type(value).__name__
)
def test_an_interruption_ends_with_130(raised):
    result = end_of(raised)
    assert result.exit_code == 130
    assert result.stderr.strip() == ""


def test_click_keeps_its_own_way_of_showing_usage():
    result = end_of(click.UsageError("not like this"))
    assert result.exit_code == 2
    assert "Error: not like this" in result.stderr


def test_a_reader_that_goes_away_is_no_error_to_speak_of():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "facesearch", "config"], stdout=closed, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_a_device_without_room_is_told_once(full_device):
    done = subprocess.run(
        [sys.executable, "-m", "facesearch", "config"], stdout=full_device, stderr=subprocess.PIPE, text=True
    )
    assert (done.returncode, done.stderr) == (4, "error: No space left on device\n")


@pytest.fixture
def full_device():
    with Path("/dev/full").open("w") as device:
        yield device
