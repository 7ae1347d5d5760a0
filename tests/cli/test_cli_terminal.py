"""At a real terminal: tables that fit it, questions before what destroys, a bar while it lasts, and Ctrl-C."""

import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios

import pytest
from click.testing import CliRunner

from facesearch.cli import main

FACESEARCH = [sys.executable, "-m", "facesearch"]


class Terminal:
    """A program with a terminal for its stdin and stderr, and for its stdout unless that is a pipe."""

    def __init__(self, *arguments, columns=80, stdout=None):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.program = subprocess.Popen(
            [*FACESEARCH, *map(str, arguments)],
            stdin=theirs,
            stdout=stdout or theirs,
            stderr=theirs,
            env=dict(os.environ),  # as Python knows it: readline, once loaded, sets COLUMNS behind its back
        )
        os.close(theirs)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.wait()
        if self.program.stdout:
            self.program.stdout.close()
        os.close(self._ours)

    def read_until(self, words):
        while words not in self.text and self._read():
            continue
        assert words in self.text

    def type(self, text):
        os.write(self._ours, text.encode())

    def finish(self):
        """The exit code, once the program has said all."""
        while self._read():
            continue
        return self.program.wait()

    def _read(self):
        try:
            got = os.read(self._ours, 65536)
        except OSError:  # Linux's way of saying that the other side is closed
            return False
        self.text += got.decode().replace("\r\n", "\n")
        return bool(got)


def data(*arguments):
    """What a command answers into a pipe."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_table_is_the_answer_on_a_terminal_and_keeps_to_its_width(columns):
    with Terminal("config", columns=columns) as terminal:
        assert terminal.finish() == 0
    lines = terminal.text.splitlines()
    assert lines[0].split() == ["setting", "value", "from"]
    assert max(map(len, lines)) <= columns


def test_json_is_the_answer_in_a_pipe():
    done = subprocess.run([*FACESEARCH, "config"], capture_output=True, check=True)
    assert json.loads(done.stdout)["schema"] == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_what_destroys_asks_and_says_exactly_what_will_go(answer, code, left):
    data("collection", "create", "guests")
    with Terminal("collection", "delete", "guests") as terminal:
        terminal.read_until("[y/N]")
        assert (
            "Collection guests will be deleted, with 0 faces of 0 people; the people stay." in terminal.text
        )
        terminal.type(answer + "\n")
        assert terminal.finish() == code
    assert ("nothing was deleted" in terminal.text) == bool(left)
    assert len(data("collection", "list")["collections"]) == left


def test_the_end_of_input_is_no_agreement():
    data("collection", "create", "guests")
    with Terminal("collection", "delete", "guests") as terminal:
        terminal.read_until("[y/N]")
        terminal.type("\x04")
        assert terminal.finish() == 130
    assert len(data("collection", "list")["collections"]) == 1


@pytest.fixture
def people(samples, tmp_path):
    """Three of the drawn people."""
    for folder in sorted((samples / "people").iterdir())[:3]:
        shutil.copytree(folder, tmp_path / "people" / folder.name)
    return tmp_path / "people"


def test_a_bar_counts_the_photos_and_goes_away(people):
    arguments = ["enroll", min(people.iterdir()), "--person", "A", "-c", "staff", "-o", "json"]
    with Terminal(*arguments, stdout=subprocess.PIPE) as terminal:
        assert terminal.finish() == 0
        total = json.loads(terminal.program.stdout.read())["photos"]["total"]
    assert f"{total}/{total}" in terminal.text
    assert terminal.text.endswith("\x1b[2K")  # the bar's line is cleared


def test_no_bar_runs_through_lines_of_data(people):
    with Terminal(
        "enroll", min(people.iterdir()), "--person", "A", "-c", "staff", "-o", "ndjson"
    ) as terminal:
        assert terminal.finish() == 0
    assert "\x1b[" not in terminal.text
    assert '"status": "enrolled"' in terminal.text


@pytest.fixture
def many(people):
    """Each of their photos four times over, in as many files: more than is done while an interruption is late."""
    for photo in sorted(people.rglob("*.jpg")):
        for number in range(3):
            photo.with_stem(f"{photo.stem}-{number}").write_bytes(photo.read_bytes() + bytes(number + 1))
    return people


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_enrolment_says_how_far_it_came_and_continues(jobs, many):
    command = [*FACESEARCH, "enroll", str(many), "-c", "staff", "--jobs", jobs, "-o", "ndjson"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert json.loads(program.stdout.readline())["status"] == "enrolled"
        program.send_signal(signal.SIGINT)
        # Not by communicate(), which leaves out what readline() took of the pipe.
        lines, said = program.stdout.read(), program.stderr.read()
    done = 1 + len(lines.splitlines())
    assert program.returncode == 130
    photos = "1 photo" if done == 1 else f"{done} photos"
    assert said.endswith(f"\nstopped; {photos} done; run the same command to continue\n")
    photos = data("enroll", many, "-c", "staff")["photos"]
    assert photos["already"] >= done
    assert photos["already"] + photos["enrolled"] == photos["total"]
    assert len(data("face", "list", "-c", "staff")["faces"]) == photos["total"]
