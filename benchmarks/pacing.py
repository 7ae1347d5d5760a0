"""How much of a service's quota `enroll` makes use of, and how many of its calls are throttled.

    python benchmarks/pacing.py [--photos 3000] [--latency 0.2] [--quota 50] [--burst 5]

The service is a stand-in (benchmarks/standin.py) with a fixed latency and a quota, in a process of its own, so
that recognition is not what is measured. Beside `enroll`, told the quota and not told it, the loops that people
write: boto3's index_faces one photo after the other, and from a pool of 32 threads, with boto3's own retries. Each
has a collection of its own; a photo of a loop that raises is lost. The time of `enroll` is the one it reports,
from its first look at the photos to its last answer, and that of the loops begins when their client is there; what
`enroll` takes to start is told beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))

from peers import machine, table

ROOT = Path(__file__).resolve().parent.parent
TO_A_PERSON = 50
ONE_BY_ONE = 100  # photos of the loop that needs a latency for each
POOL = 32


@dataclass(frozen=True)
class Measured:
    """One way of sending photos: how many got in, in which time, and what the service counted."""

    name: str
    photos: int
    enrolled: int
    seconds: float
    throttled: int
    answered: int

    def row(self) -> tuple[str, ...]:
        calls = self.answered + self.throttled
        return (
            self.name,
            f"{self.enrolled:,} of {self.photos:,}",
            f"{self.seconds:.1f}",
            f"{self.enrolled / self.seconds:.1f}",
            f"{100 * self.throttled / max(calls, 1):.1f} %",
        )


def make_photos(folder: Path, count: int) -> list[Path]:
    """Small photos, each another."""
    chance = random.Random(0)
    paths = []
    for number in range(count):
        path = folder / f"person {number // TO_A_PERSON:04}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.frombytes("RGB", (80, 80), chance.randbytes(80 * 80 * 3)).save(path, quality=50)
        paths.append(path)
    return paths


@contextmanager
def standing_in(latency: float, quota: float, burst: float) -> Iterator[str]:
    """The URL of a stand-in that runs as long as the block."""
    command = [sys.executable, str(Path(__file__).with_name("standin.py"))]
    options = ["--latency", str(latency), "--quota", str(quota), "--burst", str(burst)]
    process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait()


def counted(url: str) -> tuple[int, int]:
    """The calls that were answered and throttled so far."""
    with urllib.request.urlopen(url) as answer:
        counts = json.load(answer)
    return counts["answered"], counts["throttled"]


def measured(name: str, url: str, photos: int, send: Callable[[], tuple[int, float]]) -> Measured:
    before = counted(url)
    enrolled, seconds = send()
    answered, throttled = (after - was for after, was in zip(counted(url), before, strict=True))
    return Measured(name, photos, enrolled, seconds, throttled, answered)


def with_enroll(folder: Path, url: str, collection: str, rate: float | None) -> tuple[int, float]:
    """The whole command: the photos enrolled, and the seconds it says that took; its start is printed."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "facesearch", "enroll", str(folder), "-c", collection]
        options = ["--engine", url, "-o", "json", *(["--rate", str(rate)] if rate else [])]
        started = time.monotonic()
        done = subprocess.run(
            [*command, *options],
            env={**os.environ, "FACESEARCH_HOME": home},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        report = json.loads(done.stdout)
        start = time.monotonic() - started - report["seconds"]
        print(f"enroll took {start:.1f} s to start and end, beside its {report['seconds']:.1f} s")
        return report["photos"]["enrolled"], report["seconds"]


def with_a_loop(paths: list[Path], url: str, collection: str, threads: int) -> tuple[int, float]:
    """boto3 as it comes, but for the connections that so many threads need."""
    config = Config(signature_version=UNSIGNED, max_pool_connections=threads)
    client = boto3.client("rekognition", region_name="us-east-1", endpoint_url=url, config=config)
    client.create_collection(CollectionId=collection)

    def send(path: Path) -> bool:
        try:
            client.index_faces(
                CollectionId=collection, Image={"Bytes": path.read_bytes()}, ExternalImageId=path.stem
            )
        except ClientError:
            return False
        return True

    started = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        enrolled = sum(pool.map(send, paths))
    return enrolled, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--quota", type=float, default=50)
    parser.add_argument("--burst", type=float, default=5)
    asked = parser.parse_args()
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        standing_in(asked.latency, asked.quota, asked.burst) as url,
    ):
        paths = make_photos(Path(folder), asked.photos)
        few, some = paths[:ONE_BY_ONE], paths[: asked.photos // 3]
        ways: list[tuple[str, int, Callable[[], tuple[int, float]]]] = [
            (
                f"enroll --rate {asked.quota:g}",
                len(paths),
                lambda: with_enroll(Path(folder), url, "told", asked.quota),
            ),
            (
                "enroll, not told the quota",
                len(paths),
                lambda: with_enroll(Path(folder), url, "untold", None),
            ),
            ("boto3, one after the other", len(few), lambda: with_a_loop(few, url, "loop", 1)),
            (f"boto3, {POOL} threads", len(some), lambda: with_a_loop(some, url, "pool", POOL)),
        ]
        for name, photos, send in ways:
            rows.append(measured(name, url, photos, send).row())
            time.sleep(1)  # the bucket is full again
    print(f"{machine()}\nlatency {asked.latency:g} s, quota {asked.quota:g} calls/s, burst {asked.burst:g}\n")
    print(table(("", "enrolled", "seconds", "photos/s", "throttled"), rows))


if __name__ == "__main__":
    main()
