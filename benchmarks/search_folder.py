"""When the answers about a folder's photos come out of `facesearch search -o ndjson`, and in how much memory.

    python benchmarks/search_folder.py FOLDER [--photos 1000] [--runs 15]

From the faces in FOLDER's photos as many crops of 250 x 250 pixels are made as `--photos` says (see enroll.py),
and searched for among the people of sample_images/. One search runs to its end: its lines are counted by the
second, and the most memory that the command and its processes have held so far is read as lines come. Then the
search is started again and again, with as many jobs as there are processors and with one, in turn, and stopped
with the first line. Everything counts from the moment the process is started; the networks are built beforehand,
as they are once on a machine.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from enroll import ROOT, SIDE, make_photos, peak
from peers import machine, table

from facesearch.engine.vision.recognizer import DlibRecognizer

PEOPLE = ROOT / "sample_images" / "people"
COLLECTION = "benchmark"
COMMAND = [sys.executable, "-c", "from facesearch.__main__ import main; main()"]


def search(photos: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command, started."""
    command = [*COMMAND, "search", str(photos), "-c", COLLECTION, "-o", "ndjson", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def whole(photos: Path, count: int) -> None:
    """Search all of them, and print when the lines came and what memory was held then."""
    start = time.perf_counter()
    seconds: Counter[int] = Counter()
    memory = {}
    with search(photos) as process:
        for number, _ in enumerate(process.stdout, 1):
            seconds[int(time.perf_counter() - start)] += 1
            if number in (1, count // 10, count // 2, count):
                memory[number] = peak(process.pid)
    if process.returncode or sum(seconds.values()) != count:
        raise SystemExit(f"{sum(seconds.values())} of {count} answers, exit code {process.returncode}")
    print("answers in each second:", *(seconds[second] for second in range(max(seconds) + 1)))
    rows = [[f"{number:,}", f"{held / 1e6:.0f}"] for number, held in memory.items()]
    print("\n" + table(["answers", "MB held at most so far"], rows))


def first_line(photos: Path, *options: str) -> float:
    """Seconds to the first answer."""
    start = time.perf_counter()
    with search(photos, *options) as process:
        line = process.stdout.readline()
        took = time.perf_counter() - start
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    if not line:
        raise SystemExit("no answer came")
    return took


def main() -> None:
    """Read the command line, make the photos, search, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        # As pip leaves it: everything compiled to bytecode once, whatever this shell or installation says.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(
            FACESEARCH_HOME=home, PYTHONPATH=str(ROOT), PYTHONPYCACHEPREFIX=str(Path(home, "bytecode"))
        )
        photos = Path(home, "photos")
        make_photos(options.folder, photos, options.photos, DlibRecognizer.load(Path(home, "cache")))
        subprocess.run([*COMMAND, "enroll", str(PEOPLE), "-c", COLLECTION], check=True, capture_output=True)
        print(f"{machine()}; {options.photos:,} photos of {SIDE} x {SIDE}, medians of {options.runs}\n")
        whole(photos, options.photos)
        times: dict[str, list[float]] = {
            "as many jobs as processors": [],
            "--jobs 1": [],
            "python -c pass": [],
        }
        for _ in range(options.runs):
            times["as many jobs as processors"].append(first_line(photos))
            times["--jobs 1"].append(first_line(photos, "--jobs", "1"))
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            times["python -c pass"].append(time.perf_counter() - start)
    rows = [
        [name, f"{statistics.median(some) * 1e3:.0f}", f"{min(some) * 1e3:.0f}", f"{max(some) * 1e3:.0f}"]
        for name, some in times.items()
    ]
    print("\n" + table(["process", "ms to the first answer", "least", "most"], rows))


if __name__ == "__main__":
    main()
