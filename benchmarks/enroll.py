"""How many photos per second the whole `enroll` command takes in, and in how much memory.

    python benchmarks/enroll.py FOLDER [--photos 1000] [--jobs 1,2] [--peers-python PATH | --no-peers]

From the faces in FOLDER's photos as many crops of 250 x 250 pixels are made as `--photos` says, each a little
different, and each face is a person. `enroll` then runs as its user starts it, with records and store on disk and
everything durable. Beside it, on the same files: a bare loop of this program's decoding, detection and
descriptors, and a loop over face_recognition's own way with a photo (decoding, HOG enlarged once, five landmarks,
one descriptor), which keeps nothing; of that, the time for descriptors alone is shown as well. Both loops are on
one thread, face_recognition's on every tenth photo. The engine alone answers IndexFaces for the same files in so
many processes, without records; their start is left out.

The engine and `enroll --jobs N` have N processors to themselves, where the system can bind them: so one job shows
what one processor does, and two what two do. The networks are built beforehand, as they are once on a machine;
start-up and the making of the database count with enroll.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import Peer, machine, peers_python, photos_in, table

from facesearch import bootstrap
from facesearch.engine import images
from facesearch.engine.processes import Processes
from facesearch.engine.vision.recognizer import DlibRecognizer
from facesearch.settings import Settings

SIDE = 250
ROOT = Path(__file__).resolve().parent.parent
POLL = 0.02  # seconds between two looks at the memory


def faces_in(folder: Path, recognizer: DlibRecognizer) -> Iterator[tuple[Image.Image, float, float, float]]:
    """Each photo with the centre and the width of its largest face."""
    for path in photos_in(folder):
        image = images.decode(path.read_bytes())
        for face in recognizer.detect(image)[:1]:
            yield image, face.left + face.width / 2, face.top + face.height / 2, face.width


def make_photos(source: Path, target: Path, count: int, recognizer: DlibRecognizer) -> None:
    """The photos to enrol: the face about 100 pixels wide, moved, scaled and mirrored a little by chance."""
    random = np.random.default_rng(0)
    faces = list(faces_in(source, recognizer))
    if not faces:
        raise SystemExit(f"no face in the photos of {source}")
    for number in range(count):
        person = number % len(faces)
        image, x, y, width = faces[person]
        half = width * random.uniform(1.1, 1.4)
        x, y = x + width * random.uniform(-0.1, 0.1), y + width * random.uniform(-0.1, 0.1)
        area = tuple(round(edge) for edge in (x - half, y - half, x + half, y + half))
        crop = image.crop(area).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        if random.random() < 0.5:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        folder = target / f"person {person:04}"
        folder.mkdir(parents=True, exist_ok=True)
        crop.save(folder / f"{number:06}.jpg", quality=92)


def peak(process: int) -> int:
    """The most memory a process has held at one time so far, and each of its children, in bytes; 0 when gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        threads = Path(f"/proc/{process}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return 0
    own = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return 1024 * int(own.split()[1]) + sum(peak(int(child)) for child in children)


@contextmanager
def processors(count: int) -> Iterator[None]:
    """Programs that are started inside have so many processors, where the system can bind them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_of_them)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


def enroll(photos: Path, jobs: int, networks: Path) -> tuple[float, int, int]:
    """Seconds, bytes of memory and the number of photos enrolled by one run of the command."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(networks, Path(home, "cache"))
        command = [sys.executable, "-m", "facesearch", "enroll", photos, "-c", "benchmark"]
        command += ["--jobs", str(jobs), "--engine", "embedded", "-o", "json"]
        environment = {**os.environ, "FACESEARCH_HOME": home, "PYTHONPATH": str(ROOT)}
        answer, said = Path(home, "answer.json"), Path(home, "said.txt")  # a pipe would fill up
        with answer.open("wb") as stdout, said.open("wb") as stderr:
            start = time.perf_counter()
            with processors(jobs):
                process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
            memory = 0
            while process.poll() is None:
                memory = max(memory, peak(process.pid))
                time.sleep(POLL)
            seconds = time.perf_counter() - start
        if process.returncode not in (0, 3):
            raise SystemExit(said.read_text())
        return seconds, memory, json.loads(answer.read_text())["photos"]["enrolled"]


def engine(photos: list[Path], jobs: int, networks: Path) -> float:
    """Photos per second that are indexed by so many processes of the engine, asked by as many threads."""
    with tempfile.TemporaryDirectory() as home, processors(jobs):
        shutil.copytree(networks, Path(home, "cache"))
        settings = Settings.resolve({"home": home, "engine": "embedded"})
        processes = bootstrap.processes(settings, jobs)
        with closing(processes), ThreadPoolExecutor(jobs + 1) as threads:
            ask(processes, "CreateCollection", {"CollectionId": "benchmark"})
            list(threads.map(partial(index, processes), photos[: 4 * jobs]))  # all are started
            start = time.perf_counter()
            list(threads.map(partial(index, processes), photos))
            return len(photos) / (time.perf_counter() - start)


def index(processes: Processes, photo: Path) -> None:
    """Have the largest face of a photo stored."""
    image = {"Bytes": base64.b64encode(photo.read_bytes()).decode()}
    ask(processes, "IndexFaces", {"CollectionId": "benchmark", "Image": image, "MaxFaces": 1})


def ask(processes: Processes, operation: str, parameters: dict[str, object]) -> None:
    """Ask for an operation that must succeed."""
    headers = {
        "X-Amz-Target": f"RekognitionService.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = processes.handle(headers, json.dumps(parameters).encode())
    if answer.status != 200:
        raise SystemExit(answer.body.decode())


def bare(photos: list[Path], recognizer: DlibRecognizer) -> float:
    """Seconds of decoding, finding and describing, and nothing else."""
    start = time.perf_counter()
    for path in photos:
        image = images.decode(path.read_bytes())
        recognizer.embed(image, recognizer.detect(image)[:1])
    return time.perf_counter() - start


def face_recognition(photos: list[Path], peer: Peer) -> dict[str, float]:
    """Photos per second by face_recognition's default, and by its descriptors alone."""
    answers = [peer.photo(path)["seconds"] for path in photos]
    return {
        "face_recognition's descriptors alone": len(photos) / sum(one["describe"] for one in answers),
        "face_recognition, nothing kept": len(photos) / sum(sum(one.values()) for one in answers),
    }


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--peers-python", type=Path, help="an interpreter with dlib and its weights")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        recognizer = DlibRecognizer.load(folder / "networks")
        make_photos(options.folder, folder / "people", options.photos, recognizer)
        photos = photos_in(folder / "people")
        bare(photos[:3], recognizer)
        speeds = {"bare loop, one thread": len(photos) / bare(photos, recognizer)}
        memory = {}
        numbers = [int(one) for one in options.jobs.split(",")]
        for jobs in numbers:
            speeds[f"the engine alone, {jobs} at a time"] = engine(photos, jobs, folder / "networks")
        make_photos(options.folder, folder / "few", 3, recognizer)
        enroll(folder / "few", 1, folder / "networks")  # reads every library from the disk once
        for jobs in numbers:
            seconds, held, enrolled = enroll(folder / "people", jobs, folder / "networks")
            name = f"`enroll --jobs {jobs}`, {enrolled:,} enrolled"
            speeds[name], memory[name] = len(photos) / seconds, held
        if not options.no_peers:
            peer = stack.enter_context(Peer(options.peers_python or peers_python()))
            speeds |= face_recognition(photos[::10], peer)
    reference = next(iter(speeds.values()))
    last = list(speeds.values())[-1]
    print(f"{machine()}; {len(photos):,} photos of {SIDE} x {SIDE}\n")
    head = ["", "photos/s", "of the bare loop", "times as fast as the last", "peak memory"]
    rows = [
        [
            name,
            f"{speed:.1f}",
            f"{speed / reference:.2f}",
            f"{speed / last:.1f}",
            f"{memory[name] / 1e6:.0f} MB" if name in memory else "",
        ]
        for name, speed in speeds.items()
    ]
    print(table(head, rows))


if __name__ == "__main__":
    main()
