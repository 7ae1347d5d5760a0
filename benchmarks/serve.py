"""What the server costs beside the engine itself, and how many requests it answers with one process and with two:

    python benchmarks/serve.py [--photo FILE] [--seconds 12] [--clients 4]

One photo of a megapixel is searched for in a collection of one face, in requests built beforehand. First one after
the other, in turn by the engine in this process and by a server: the overhead is the difference of the medians.
Then by several clients at once, each on a connection of its own, against one worker and two: with a single thread
each, so that a process is worth a processor, and with as many as is usual. The clients run here, on processors
that the server wants too; what they take of one is said beside.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from PIL import Image

from facesearch.engine import protocol
from facesearch.engine.service import Engine
from facesearch.engine.vision.recognizer import DlibRecognizer

SAMPLES = Path(__file__).resolve().parent.parent / "sample_images"
ROUNDS = 30
MEGAPIXEL = 1_000_000


def request(operation: str, **parameters: object) -> tuple[dict[str, str], bytes]:
    headers = {"Content-Type": protocol.CONTENT_TYPE, "X-Amz-Target": f"RekognitionService.{operation}"}
    return headers, json.dumps(parameters).encode()


def megapixel(path: Path) -> str:
    """The photo at one megapixel, as a request carries it."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = (MEGAPIXEL / (image.width * image.height)) ** 0.5
    buffer = io.BytesIO()
    image.resize((round(image.width * scale), round(image.height * scale))).save(buffer, "JPEG", quality=90)
    return base64.b64encode(buffer.getvalue()).decode()


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[tuple[str, int]]:
    """The address of a server program."""
    command = [
        sys.executable,
        "-m",
        "facesearch",
        "engine",
        "serve",
        "--port",
        "0",
        "--data",
        str(data),
        *options,
    ]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    found = re.search(r"http://([^ :]+):(\d+)", program.stderr.readline())
    assert found is not None
    drain = threading.Thread(target=program.stderr.read)
    drain.start()
    try:
        yield found[1], int(found[2])
    finally:
        program.terminate()
        program.wait()
        drain.join()


def post(connection: http.client.HTTPConnection, headers: dict[str, str], body: bytes) -> None:
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content


def overhead(engine: Engine, data: Path, headers: dict[str, str], body: bytes) -> tuple[float, float]:
    """Median seconds of a request by the engine itself, and by a server."""
    times: tuple[list[float], list[float]] = ([], [])
    with serving(data) as address, contextlib.closing(http.client.HTTPConnection(*address)) as connection:
        for turn in range(ROUNDS + 3):
            began = time.perf_counter()
            assert engine.handle(headers, body).status == 200
            between = time.perf_counter()
            post(connection, headers, body)
            if turn >= 3:
                times[0].append(between - began)
                times[1].append(time.perf_counter() - between)
    return median(times[0]), median(times[1])


def throughput(
    address: tuple[str, int], clients: int, seconds: float, request: tuple[dict[str, str], bytes]
) -> tuple[float, float]:
    """Requests answered in a second, and the part of a processor that the clients took."""
    done = [0] * clients
    ready = threading.Barrier(clients + 1)
    stop = threading.Event()

    def client(number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection(*address)) as connection:
            post(connection, *request)
            ready.wait()
            while not stop.is_set():
                post(connection, *request)
                done[number] += not stop.is_set()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    began, busy = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    stop.set()
    took, busy = time.perf_counter() - began, time.process_time() - busy
    for thread in threads:
        thread.join()
    return sum(done) / took, busy / took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photo", type=Path, default=SAMPLES / "queries" / "hugo.jpg")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--clients", type=int, default=4)
    wish = parser.parse_args()
    image = {"Bytes": megapixel(wish.photo)}
    search = request("SearchFacesByImage", CollectionId="staff", Image=image)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "engine.db"
        with contextlib.closing(
            Engine(data, lambda: DlibRecognizer.load(cache=Path(folder) / "cache"))
        ) as engine:
            engine.handle(*request("CreateCollection", CollectionId="staff"))
            engine.handle(*request("IndexFaces", CollectionId="staff", Image=image, MaxFaces=1))
            alone, served = overhead(engine, data, *search)
        print(
            f"one request: engine {1000 * alone:.1f} ms, server {1000 * served:.1f} ms, {served / alone - 1:+.1%}"
        )
        for options in (["--max-concurrency", "1"], []):
            rates = []
            for workers in (1, 2):
                with serving(data, "--workers", str(workers), *options) as address:
                    rate, busy = throughput(address, wish.clients, wish.seconds, search)
                rates.append(rate)
                threads = options[1] if options else "usual"
                print(
                    f"{workers} worker{'s'[: workers > 1]}, threads each: {threads}, {wish.clients} clients: "
                    f"{rate:.1f} requests/s, {rate / rates[0]:.2f} x; the clients took {busy:.0%} of a processor"
                )


if __name__ == "__main__":
    main()
