"""The walls of the house: who may import whom, and what must stay unloaded until it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import facesearch

PACKAGE = Path(facesearch.__file__).parent

# What each room may import of facesearch itself, and of the libraries that have a room of their own.
OURS = {
    "domain": {"domain"},
    "errors": set(),
    "interruption": set(),
    "plain": set(),
    "shipped": set(),
    "settings": {"errors"},
    "photos": {"decoding", "domain", "errors"},
    "cropping": {"domain"},
    "decoding": {"errors"},
    "curves": {"domain", "errors", "lettering"},
    "drawing": {"domain", "errors", "lettering"},
    "lettering": {"errors"},
    "rekognition": {"rekognition", "domain", "errors", "metering", "retries", "service_errors", "settings"},
    "retries": {"domain", "errors", "service_errors"},
    "metering": set(),
    "s3": {"domain", "errors", "service_errors"},
    "s3_objects": {"domain", "errors", "s3", "service_errors"},
    "sqs": {"errors", "service_errors"},
    "service_errors": {"errors"},
    "workflows": {"workflows", "cropping", "domain", "errors", "interruption", "photos"},
    "redaction": {"domain"},
    "reporting": {"reporting", "domain", "errors", "photos", "plain", "redaction", "__init__"},
    "records": {"records", "domain", "errors", "shipped"},
    "aws": {"aws", "domain", "errors", "service_errors"},
    "app": {
        "aws",
        "s3",
        "s3_objects",
        "app",
        "workflows",
        "domain",
        "errors",
        "settings",
        "photos",
        "curves",
        "drawing",
        "redaction",
        "reporting",
        "bootstrap",
    },
    "bootstrap": {
        "app",
        "aws",
        "domain",
        "errors",
        "settings",
        "rekognition",
        "service_errors",
        "sqs",
        "records",
        "engine",
    },
    "cli": {
        "cli",
        "bootstrap",
        "app",
        "domain",
        "errors",
        "interruption",
        "settings",
        "plain",
        "shipped",
        "__init__",
    },
    "aws_lambda": {"aws_lambda", "bootstrap", "app", "domain", "errors", "settings"},
    "engine": {"engine"},
    "testing": {"engine", "settings"},
    "pytest_plugin": {"engine", "testing"},
    "__main__": {"cli"},
    "__init__": {"app", "errors", "settings"},
}
ROOMS_OF_LIBRARIES = {
    "boto3": {"pytest_plugin", "testing"},
    "botocore": {"aws", "rekognition", "s3", "s3_objects", "sqs", "service_errors", "engine", "bootstrap"},
    "sqlalchemy": {"records"},
    "alembic": {"records"},
    "click": {"cli"},
    "rich": {"cli"},
    "numpy": {"engine"},
    "onnx": {"engine"},
    "onnxruntime": {"engine"},
    "PIL": {
        "cropping",
        "curves",
        "photos",
        "decoding",
        "drawing",
        "lettering",
        "redaction",
        "reporting",
        "engine",
    },
    "pillow_heif": {"decoding"},
    "platformdirs": {"settings"},
    "starlette": {"engine"},
    "uvicorn": {"engine"},
    "h11": {"engine"},
    "prometheus_client": {"engine"},
}


def room(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module a file imports while it runs, in full; what is imported for its types alone does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
            if node.module == "facesearch":
                found.update(f"facesearch.{alias.name}" for alias in node.names)
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_room_may(path):
    here = room(path)
    for name in imports(path):
        top, *rest = name.split(".")
        if top == "facesearch":
            wanted = rest[0] if rest and (PACKAGE / rest[0]).with_suffix(".py").exists() else None
            wanted = wanted or (rest[0] if rest and (PACKAGE / rest[0]).is_dir() else "__init__")
            if wanted != "__init__" or rest:
                assert wanted in OURS[here] | {"__init__"}, f"{here} must not import {name}"
        elif top in ROOMS_OF_LIBRARIES:
            assert here in ROOMS_OF_LIBRARIES[top], f"{here} must not import {name}"


def test_only_the_settings_read_the_environment():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if room(path) != "settings":
            assert "os.environ" not in text and "getenv" not in text, path


def test_no_file_is_longer_than_four_hundred_lines():
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["enroll", "--help"]])
def test_version_and_help_load_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from facesearch.cli import main\n"
        f"sys.argv = ['facesearch', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'boto3', 'botocore', 'sqlalchemy', 'alembic', 'numpy', 'onnx', 'onnxruntime', 'PIL', 'rich',\n"
        "         'starlette', 'uvicorn', 'prometheus_client'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr.strip() == "[]"


def test_importing_the_package_loads_no_module_of_it():
    code = "import sys, facesearch; print([m for m in sys.modules if m.startswith('facesearch.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
