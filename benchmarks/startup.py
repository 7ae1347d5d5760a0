"""How long `facesearch search` takes in a process of its own, beside Python and the imports it needs alone.

    python benchmarks/startup.py [--photo FILE] [--faces 1000] [--runs 15]

A collection of so many faces is made in a folder of its own: random vectors, through the engine's own store. Then
one photo is searched for, process after process, in turn with two others: one that imports the modules, not
facesearch's own, that the command has loaded when it ends, and nothing else; and one that does nothing at all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "benchmark"

# Runs the command in this process, then writes which modules that loaded, in the order of loading.
LIST_MODULES = """
import atexit, json, sys
def write():
    names = [name for name in sys.modules if name.partition(".")[0] not in ("facesearch", "__main__")]
    with open(sys.argv[1], "w") as file:
        json.dump(names, file)
atexit.register(write)
from facesearch.cli import main
main(sys.argv[2:])
"""

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1].split(","):
    try:
        importlib.import_module(name)
    except ImportError:
        print(name)
"""


def fill(store: Path, faces: int) -> None:
    """Store so many unit vectors."""
    from facesearch.engine.storage import NewFace, Store

    vectors = np.random.default_rng(1).normal(size=(faces, 128)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    opened = Store(store)
    model = opened.collection(COLLECTION).model_version
    for number, vector in enumerate(vectors):
        opened.add_faces(
            COLLECTION, model, f"image {number}", None, [NewFace(0.1, 0.1, 0.5, 0.5, 99.0, vector.tobytes())]
        )
    opened.close()


def needed(python: list[str], command: list[str], folder: Path) -> list[str]:
    """The modules, not facesearch's own, that a command loads and that can be imported by name."""
    listed = folder / "modules.json"
    subprocess.run([*python, LIST_MODULES, str(listed), *command], check=True, stdout=subprocess.DEVNULL)
    names = json.loads(listed.read_text())
    tried = subprocess.run([*python, IMPORT_ALL, ",".join(names)], check=True, capture_output=True, text=True)
    return [name for name in names if name not in tried.stdout.split()]


def seconds(command: list[str]) -> float:
    """How long a process takes from its start to its end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Read the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photo", type=Path, default=ROOT / "sample_images" / "queries" / "amara.jpg")
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # As pip leaves it: everything compiled to bytecode once, whatever this shell or installation says.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(
            FACESEARCH_HOME=name, PYTHONPATH=str(ROOT), PYTHONPYCACHEPREFIX=str(folder / "bytecode")
        )
        measure(options, folder)


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Make the collection in a folder, run all processes in turn, and print how long they took."""
    from facesearch.settings import Settings

    python = [sys.executable, "-c"]
    run = "from facesearch.__main__ import main; main()"
    subprocess.run([*python, run, "collection", "create", COLLECTION], check=True, capture_output=True)
    fill(Settings.resolve().engine_store, options.faces)
    command = ["search", str(options.photo), "-c", COLLECTION, "-o", "json"]
    modules = needed(python, command, folder)
    processes = {
        "facesearch search": [*python, run, *command],
        f"the imports alone ({len(modules)} modules)": [*python, IMPORT_ALL, ",".join(modules)],
        "python -c pass": [*python, "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in processes}
    for turn in range(options.runs + 1):
        for name, process in processes.items():
            took = seconds(process)
            if turn:  # the first fills the caches, the system's and ours
                times[name].append(took)
    medians = {name: statistics.median(some) for name, some in times.items()}
    imports = list(medians.values())[1]
    print(
        f"{machine()}; {options.faces:,} faces, {options.photo.name}, medians of {options.runs} processes\n"
    )
    print("| process | ms | of the imports |\n|---|---:|---:|")
    for name, median in medians.items():
        print(f"| {name} | {median * 1e3:.0f} | {median / imports:.2f} |")


def machine() -> str:
    """The processor, its cores and Python."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    processor = names[0].partition(": ")[2] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
