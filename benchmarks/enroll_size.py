"""Whether an enrolment's memory grows with its photos, and how long it takes to find that nothing is new.

    python benchmarks/enroll_size.py [--photos 1000,100000] [--engine standin|embedded]

For each number so many tiny photos are made, 80 pixels wide, and enrolled twice by the whole command, with records
and caches on disk. Memory is the most that the process held at one time. `standin` is a service that recognises
nothing and has no quota (benchmarks/standin.py, in a process of its own): the first run is then as fast as it can
be, so that the second has the least to gain, and the memory is that of the enrolment alone. Its photos are noise,
a hundred to a person. `embedded` is this program's own engine; its photos are the drawn people, each a little
different.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pacing import standing_in
from peers import machine, table

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 80  # pixels
TO_A_PERSON = 100  # photos of noise
POLL = 0.02  # seconds between two looks at the memory
NO_QUOTA = 1e9


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    seconds: float
    megabytes: float
    total: int  # photos that ended in some state
    enrolled: int


def make_noise(folder: Path, count: int) -> None:
    """Small photos of nothing, each another: one small noise, with its number written over it."""
    noise = bytearray(random.Random(0).randbytes(WIDTH * WIDTH))
    for number in range(count):
        noise[:8] = number.to_bytes(8, "little")
        place = _place(folder, f"person {number // TO_A_PERSON:05}", f"{number:07}.png")
        Image.frombytes("L", (WIDTH, WIDTH), bytes(noise)).save(place, compress_level=0)


def make_faces(folder: Path, count: int) -> None:
    """The drawn people, each photo a little lighter or darker."""
    chance = random.Random(0)
    originals = []
    for path in sorted((ROOT / "sample_images" / "people").rglob("*.jpg")):
        with Image.open(path) as photo:
            small = photo.convert("RGB").resize((WIDTH, WIDTH * photo.height // photo.width))
        originals.append((path.parent.name, small))
    for number in range(count):
        person, original = originals[number % len(originals)]
        photo = ImageEnhance.Brightness(original).enhance(chance.uniform(0.8, 1.2))
        photo.save(_place(folder, person, f"{number:07}.jpg"), quality=chance.randint(75, 95))


def _place(folder: Path, person: str, name: str) -> Path:
    (folder / person).mkdir(parents=True, exist_ok=True)
    return folder / person / name


def enroll(photos: Path, home: Path, engine: str) -> Run:
    """The whole command, from its start to its end."""
    command = [sys.executable, "-m", "facesearch", "enroll", str(photos), "-c", "staff", "-o", "json"]
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "--engine", engine],
        env={**os.environ, "FACESEARCH_HOME": str(home)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = [0.0]
    watching = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watching.start()
    answer, _ = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"enroll ended with {process.returncode}")
    counts = json.loads(answer)["photos"]
    return Run(seconds, peak[0], counts["total"], counts["enrolled"])


def _watch(process: int, peak: list[float]) -> None:
    """Keep the high water mark that the kernel has of a process."""
    while True:
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            return
        mark = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
        if mark:
            peak[0] = max(peak[0], int(mark.split()[1]) / 1024)
        time.sleep(POLL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", default="1000,100000", help="how many, for each measurement")
    parser.add_argument("--engine", choices=["standin", "embedded"], default="standin")
    asked = parser.parse_args()
    rows, first_peak = [], 0.0
    for count in map(int, asked.photos.split(",")):
        with (
            tempfile.TemporaryDirectory() as home,
            standing_in(0, NO_QUOTA, NO_QUOTA)
            if asked.engine == "standin"
            else nullcontext("embedded") as url,
        ):
            photos = Path(home) / "photos"
            (make_noise if asked.engine == "standin" else make_faces)(photos, count)
            time.sleep(2.5)  # a file as young as the clock's ticks is read again, by right
            first, second = (enroll(photos, Path(home) / "home", url) for _ in range(2))
        assert (first.total, second.total, second.enrolled) == (count, count, 0), "photos were left out"
        first_peak = first_peak or first.megabytes
        rows.append(
            (
                f"{count:,}",
                f"{first.seconds:.1f}",
                f"{count / first.seconds:.0f}",
                f"{first.megabytes:.0f}",
                f"{first.megabytes / first_peak:.2f}",
                f"{second.seconds:.1f}",
                f"{second.megabytes:.0f}",
                f"{first.seconds / second.seconds:.0f}",
            )
        )
    print(f"{machine()}, engine: {asked.engine}\n")
    head = (
        "photos",
        "first run, s",
        "photos/s",
        "MB",
        "of the first row",
        "second run, s",
        "MB",
        "times as fast",
    )
    print(table(head, rows))


if __name__ == "__main__":
    main()
