"""The use cases as a program that has all of them gets them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from facesearch import workflows


def test_a_use_case_is_loaded_when_it_is_first_used():
    code = (
        "import sys\nfrom facesearch import workflows\n"
        "def loaded(): return {n for n in sys.modules if n.startswith('facesearch.workflows.')}\n"
        "assert not loaded()\nworkflows.quotas.index_faces\nprint(*loaded())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["facesearch.workflows.quotas"]


def test_what_is_no_use_case_is_not_there():
    assert not hasattr(workflows, "nonsense")
    with pytest.raises(ImportError, match="nonsense"):
        from facesearch.workflows import nonsense  # noqa: F401
