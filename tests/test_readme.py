"""The manual is true: every command it shows is run in its order, and prints what it shows."""

import doctest
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pytest

from facesearch.settings import DESCRIPTIONS, variable

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TESTS = re.compile(r"^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = 110


@pytest.fixture(scope="module")
def place(samples, vision_cache):
    """A folder as a clone has it, a home of its own, and a `facesearch` command; kept from block to block.

    Its path is short, so that tables that show it are no wider than a person's.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield made(Path(folder), samples, vision_cache)


def made(folder, samples, vision_cache):
    shutil.copytree(samples, folder / "sample_images")
    (folder / "home").mkdir()
    (folder / "home" / "cache").symlink_to(vision_cache)
    command = folder / "bin" / "facesearch"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m facesearch "$@"\n')
    command.chmod(0o755)
    return folder


def environment(place):
    ours = {"FACESEARCH_HOME": str(place / "home"), "HOME": str(place), "TERM": "dumb", "NO_COLOR": "1"}
    theirs = {name: value for name, value in os.environ.items() if name != "FACESEARCH_JOBS"}
    return {**theirs, **ours, "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def in_a_terminal(command, place):
    """What a person sees: what the command says, then what it prints. Its exit code too."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["sh", "-c", command], cwd=place, env=environment(place), stdout=theirs, stderr=subprocess.PIPE
    )
    os.close(theirs)
    printed = bytearray()
    try:
        while block := os.read(ours, 65536):
            printed += block
    except OSError:  # Linux's way to say that the last writer is gone
        printed += b""
    os.close(ours)
    said = process.communicate()[1]
    return (said + bytes(printed)).decode().replace("\r\n", "\n"), process.returncode


def shown():
    """The commands of the manual with what it shows of their output."""
    for block in CONSOLE.findall(README):
        command, output = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, output
                command, output = line[2:], []
            else:
                output.append(line)
        if command:
            yield command, output


def test_every_command_of_the_manual_prints_what_it_shows(place):
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert len(list(shown())) >= 12
    for command, lines in shown():
        printed, code = in_a_terminal(command, place)
        wanted = "\n".join(lines) + "\n"
        assert checker.check_output(wanted, printed, flags), f"$ {command}\n{printed}\nexit code {code}"
        assert code in (0, 1, 3), f"$ {command}\n{printed}\nexit code {code}"


def test_the_manuals_python_runs(place):
    enrol = [sys.executable, "-m", "facesearch", "enroll", "sample_images/people", "-c", "staff"]
    subprocess.run(enrol, cwd=place, env=environment(place), check=True, capture_output=True)
    for block in PYTHON.findall(README):
        subprocess.run([sys.executable, "-c", block], cwd=place, env=environment(place), check=True)


WHAT_ITS_TESTS_NEED = """
from pathlib import Path
from unittest.mock import ANY

import boto3
from botocore.stub import Stubber
from moto import mock_aws

from facesearch.testing import mock_rekognition

PORTRAIT, VISITOR, STRANGER = (
    Path("sample_images", name) for name in
    ("people/Amara Okafor/portrait.jpg", "queries/amara.jpg", "queries/stranger.jpg")
)
"""


def test_the_manuals_tests_pass(place):
    (place / "test_manual.py").write_text("\n\n".join([WHAT_ITS_TESTS_NEED, *TESTS.findall(README)]))
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_manual.py"]
    done = subprocess.run(run, cwd=place, env=environment(place), capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout


def test_every_setting_is_in_the_manual_with_its_variable():
    for name in DESCRIPTIONS:
        assert f"`{name}`" in README
        assert f"`{variable(name)}`" in README


def test_every_command_is_in_the_manual():
    from click import Group

    from facesearch.cli import main

    for name, command in main.commands.items():
        for line in [f"{name} {sub}" for sub in command.commands] if isinstance(command, Group) else [name]:
            assert f"facesearch {line}" in README, line
