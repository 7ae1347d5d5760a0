"""The nouns as programs import them, and what that loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from facesearch import domain


def told_to_type_checkers():
    tree = ast.parse(Path(domain.__file__).read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("facesearch.domain.")
        for alias in node.names
    }


def test_each_noun_is_where_type_checkers_are_told_that_it_is():
    homes = told_to_type_checkers()
    assert len(homes) > 40
    for name, home in homes.items():
        assert getattr(domain, name) is getattr(import_module(home), name)


def test_type_checkers_are_told_of_every_noun():
    assert set(told_to_type_checkers()) == set(domain._HOMES)


def test_what_is_no_noun_cannot_be_imported():
    with pytest.raises(ImportError, match="Nonsense"):
        from facesearch.domain import Nonsense  # noqa: F401
    assert not hasattr(domain, "Nonsense")


def test_importing_a_noun_loads_its_file_and_those_it_stands_on():
    code = (
        "import sys\nfrom facesearch.domain import Box\nprint(*(n for n in sys.modules if '.domain.' in n))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["facesearch.domain.faces"]
