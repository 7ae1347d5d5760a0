"""How fast, how large and how right the search for the nearest faces is, beside numpy, faiss and usearch.

    python benchmarks/search.py [--sizes 10000,100000,1000000] [--queries 1000] [--peers-python PATH | --no-peers]

One run per size, every method on the same vectors, query after query in turn, so that a busy machine slows all
alike: read the ratios. Then a tenth of the faces is deleted and as many are added, by the calls that Rekognition's
are made of, and all is asked again; then once more while the index writes its file anew; and at last in a new
process, with the files in the system's cache and without. Above a million faces a fifth of the queries is asked.

The vectors are drawn to the statistics of real faces (dlib's descriptors of Labeled Faces in the Wild): their
spread, how far photos of one person and of two lie apart. `--data uniform` draws them without structure, the worst
case of a search by bounds. The peers are installed into a virtualenv of their own in the temporary folder.
OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1 give every method one core, and steady all of them on a busy machine.

Needs about 1.2 GB of memory and 2 GB of disk per million faces, and twice that memory with the peers.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import search_peers

WANTED = 10
DIMENSIONS = 128


class People:
    """Unit vectors of people who have four photos each on average, with the statistics of real faces.

    Squared distances from the mean are 0.16 on average, 0.115 of it between people and 0.045 within; 63 directions
    hold 97 % of the variance. Two photos lie 0.30 apart in the median if they show one person, else 0.56 (in
    Labeled Faces in the Wild 0.301 and 0.566).
    """

    def __init__(self, count: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        energy = np.exp(-(((np.arange(DIMENSIONS) + 0.5) / 26) ** 1.25))
        spread = np.sqrt(energy / energy.sum())
        mean = self._rng.normal(size=DIMENSIONS)
        self._mean = (mean * np.sqrt(0.84) / np.linalg.norm(mean)).astype(np.float32)
        self._turn = np.linalg.qr(self._rng.normal(size=(DIMENSIONS, DIMENSIONS)))[0].astype(np.float32)
        self._within = (spread * np.sqrt(0.045)).astype(np.float32)
        people = count // 4 + 1
        self._centres = self._normal(people) * (spread * np.sqrt(0.115)).astype(np.float32)

    def photos(self, count: int) -> np.ndarray:
        """Photos of randomly chosen people."""
        vectors = np.empty((count, DIMENSIONS), np.float32)
        for start in range(0, count, 50_000):
            of = self._rng.integers(len(self._centres), size=min(50_000, count - start))
            photos = (self._centres[of] + self._normal(len(of)) * self._within) @ self._turn + self._mean
            vectors[start : start + len(of)] = photos / np.linalg.norm(photos, axis=1, keepdims=True)
        return vectors

    def _normal(self, count: int) -> np.ndarray:
        return self._rng.standard_normal((count, DIMENSIONS), dtype=np.float32)


class Uniform:
    """Unit vectors in all directions alike."""

    def __init__(self, count: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def photos(self, count: int) -> np.ndarray:
        """So many vectors."""
        vectors = self._rng.standard_normal((count, DIMENSIONS), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class Numpy:
    """The plain full scan: one product with every vector."""

    name = "numpy float32"

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self.products = np.empty(0, np.float32)

    def search(self, query: np.ndarray) -> tuple[float, list[int]]:
        """Seconds, and the rows found."""
        start = time.perf_counter()
        self.products = self.vectors @ query
        found = np.argpartition(self.products, len(self.products) - WANTED)[len(self.products) - WANTED :]
        return time.perf_counter() - start, found.tolist()

    def truth(self, query: np.ndarray) -> set[int]:
        """The nearest rows to what was last searched for in float64, out of the best hundred by float32."""
        best = np.argpartition(self.products, len(self.products) - 100)[len(self.products) - 100 :]
        distances = np.linalg.norm(self.vectors[best].astype(np.float64) - query, axis=1)
        return set(best[np.argsort(distances)[:WANTED]].tolist())


class Facesearch:
    """The engine's own store and index; `rows` has the row of each face by its number."""

    name = "facesearch"

    def __init__(self, path: Path, vectors: np.ndarray) -> None:
        from facesearch.engine.storage import Store

        self.path = path
        self.store = Store(path)
        self.store.create_collection("faces", "1.0", {})
        self.number = self.store.collection("faces").number
        self.images = 0
        self._fill(vectors)
        self.rows = np.arange(-1, len(vectors))
        start = time.perf_counter()
        self.open()
        self.build = time.perf_counter() - start

    def open(self) -> None:
        """Begin as a new process does, up to its first answer."""
        from facesearch.engine.index import Indexes

        self.indexes = Indexes(self.store)
        self.search(np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32))
        self.indexes.settle()

    def close(self) -> None:
        """Let go of the files."""
        self.indexes.settle()
        del self.indexes
        self.store.close()

    def add(self, vectors: np.ndarray, rows: Sequence[int]) -> None:
        """Store vectors, which are the rows of those numbers, as many to a call as an image has at most."""
        from facesearch.engine.storage import NewFace

        numbers = []
        for start in range(0, len(vectors), 100):
            self.images += 1
            some = vectors[start : start + 100]
            faces = [NewFace(0.1, 0.1, 0.5, 0.5, 99.0, vector.tobytes()) for vector in some]
            stored = self.store.add_faces("faces", "1.0", str(self.images), None, faces)
            self.indexes.stored(self.number, len(stored))
            numbers += [face.number for face in stored]
        assert numbers == list(range(len(self.rows), len(self.rows) + len(numbers)))
        self.rows = np.append(self.rows, rows)

    def delete(self, rows: Sequence[int]) -> None:
        """Delete the faces of those rows, as many to a call as Rekognition takes."""
        wanted = np.flatnonzero(np.isin(self.rows, rows)).tolist()
        for start in range(0, len(wanted), 4096):
            faces = self.store.faces_by_number(self.number, wanted[start : start + 4096])
            self.store.delete_faces("faces", [face.face_id for face in faces.values()])

    def search(self, query: np.ndarray) -> tuple[float, list[int]]:
        """Seconds, with the look at the store that every search begins with, and the rows found."""
        start = time.perf_counter()
        found = self.indexes.nearest(self.store.collection("faces"), query, WANTED)
        return time.perf_counter() - start, [int(self.rows[one.number]) for one in found]

    def while_written(self, queries: np.ndarray) -> str:
        """Search as long as the index writes its file anew."""
        writing = threading.Thread(target=self.indexes._of(self.number).file._write)
        seconds: list[float] = []
        start = time.perf_counter()
        writing.start()
        while writing.is_alive():
            seconds.append(self.search(queries[len(seconds) % len(queries)])[0])
        took = time.perf_counter() - start
        return (
            f"While the file was written anew, {took:.1f} s, {len(seconds)} searches took "
            f"{np.median(seconds) * 1e3:.1f} ms at p50 and {max(seconds) * 1e3:.1f} ms at most."
        )

    def files(self) -> list[Path]:
        """The store and the file of vectors."""
        return [*self.path.parent.glob("engine.db"), *self.path.parent.glob("engine.db-vectors/*")]

    def _fill(self, vectors: np.ndarray) -> None:
        """Store all vectors at once, which the calls would take minutes for."""
        rows = (
            (f"{row:036x}", f"filled {row}", 0.1, 0.1, 0.5, 0.5, 99.0, "1.0", self.number, vector.tobytes())
            for row, vector in enumerate(vectors)
        )
        with self.store.connections.writing() as connection:
            connection.executemany(
                "INSERT INTO faces (face_id, image_id, left, top, width, height, confidence, model_version, "
                "collection, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            connection.execute(
                "UPDATE collections SET face_count = ?, revision = 1 WHERE number = ?",
                (len(vectors), self.number),
            )


FIRST_ANSWER = """
import sys, time
start = time.perf_counter()
from pathlib import Path
import numpy as np
from facesearch.engine.index import Indexes
from facesearch.engine.storage import Store
imported = time.perf_counter()
store = Store(Path(sys.argv[1]))
query = np.frombuffer(bytes.fromhex(sys.argv[2]), np.float32)
found = Indexes(store).nearest(store.collection("faces"), query, 10)
assert len(found) == 10
answered = time.perf_counter()
read = [line.split()[1] for line in open("/proc/self/io") if line.startswith("read_bytes")]
print(imported - start, answered - imported, *read)
"""


def first_answers(path: Path, files: list[Path], query: np.ndarray) -> str:
    """What a new process takes to its first answer, with the files in the system's cache and without."""
    told = []
    for what in ("in the system's cache", "on disk alone"):
        if what == "on disk alone":
            os.sync()
            for file in files:
                with file.open("rb") as opened:
                    os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        root = Path(__file__).resolve().parent.parent
        command = [sys.executable, "-c", FIRST_ANSWER, path, query.tobytes().hex()]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
        imports, seconds, read = (float(number) for number in answer.stdout.split())
        told.append(
            f"{seconds * 1e3:.0f} ms with the files {what} ({read / 1e6:.0f} MB read from disk; "
            f"after imports of {imports * 1e3:.0f} ms)"
        )
    size = sum(file.stat().st_blocks * 512 for file in files)
    return f"A new process answers first after {' and '.join(told)}; the files have {size / 1e6:,.0f} MB."


def measure(methods: list, numbers: list[int], plain: Numpy, queries: np.ndarray) -> dict[str, dict]:
    """Each method's times and recall, asked in turn; method n is asked the first numbers[n] of the queries."""
    methods, numbers = [plain, *methods], [len(queries), *numbers]
    times: dict[str, list[float]] = {method.name: [] for method in methods}
    right: dict[str, int] = dict.fromkeys(times, 0)
    for method in methods:
        method.search(queries[0])
    for position, query in enumerate(queries):
        expected: set[int] = set()
        for method, number in zip(methods, numbers, strict=True):
            if position < number:
                seconds, rows = method.search(query)
                expected = expected or plain.truth(query)
                times[method.name].append(seconds)
                right[method.name] += len(expected & set(rows))
    reference = np.array(times[Numpy.name])
    return {
        name: {
            "p50": np.median(seconds) * 1e3,
            "p95": np.quantile(seconds, 0.95) * 1e3,
            "ratio": np.median(seconds) / np.median(reference[: len(seconds)]),
            "recall": right[name] / WANTED / len(seconds),
        }
        for name, seconds in times.items()
    }


def row(size: int, name: str, memory: str, build: str, result: dict) -> None:
    """Print a line of the table."""
    print(
        f"| {size:,} | {name} | {memory} | {build} | {result['p50']:.2f} / {result['p95']:.2f} "
        f"| {result['ratio']:.2f} | {result['recall']:.4f} |",
        flush=True,
    )


def run(size: int, options: argparse.Namespace, folder: Path, python: Path | None) -> list[str]:
    """Measure one size, print its rows, and return what is to be said below the table."""
    source = (People if options.data == "people" else Uniform)(size, seed=1)
    share = 1 if size <= 1_000_000 else 5
    count = options.queries // share
    vectors, queries = source.photos(size), source.photos(count)
    ours, plain = Facesearch(folder / "engine.db", vectors), Numpy(vectors)
    methods, numbers, process = [ours], [count], None
    if python is not None:
        np.save(folder / "vectors.npy", vectors)
        process = search_peers.start(python, folder / "vectors.npy")
        names = [name for name in search_peers.NAMES if "HNSW" not in name or size <= options.hnsw_up_to]
        methods += [search_peers.Peer(process, name) for name in names]
        numbers += [min(options.peer_queries // share, count)] * len(names)
    results = measure(methods, numbers, plain, queries)
    used = sum(file.stat().st_blocks * 512 for file in ours.files()[1:])
    memory = f"{used / size:.0f} B mapped, 160 B of it read" if used else f"{4 * DIMENSIONS + 12} B"
    row(size, ours.name, memory, f"{ours.build:.1f}", results[ours.name])
    row(size, plain.name, f"{4 * DIMENSIONS} B", "0", results[plain.name])
    for peer in methods[1:]:
        row(size, peer.name, f"{peer.bytes} B", f"{peer.build:.1f}", results[peer.name])
    if process is not None:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    notes = []
    if size <= options.change_up_to:
        notes.append(change(ours, plain, source))
        results = measure([ours], [count], plain, queries)
        row(size, f"{ours.name}, {size // 10:,} deleted and added", "", "", results[ours.name])
        row(size, f"{plain.name}, the same", "", "", results[plain.name])
    if used:
        notes.append(ours.while_written(queries))
    files = ours.files()
    ours.close()
    if used and hasattr(os, "posix_fadvise"):
        notes.append(first_answers(folder / "engine.db", files, queries[0]))
    return [f"{size:,} faces: {' '.join(notes)}"]


def change(ours: Facesearch, plain: Numpy, source: People | Uniform) -> str:
    """Delete a tenth of the faces and add as many."""
    count = len(plain.vectors) // 10
    gone = np.random.default_rng(2).choice(len(plain.vectors), count, replace=False)
    start = time.perf_counter()
    ours.delete(gone.tolist())
    deleting = time.perf_counter() - start
    plain.vectors[gone] = source.photos(count)
    start = time.perf_counter()
    ours.add(plain.vectors[gone], gone.tolist())
    adding = time.perf_counter() - start
    ours.indexes.settle()
    return f"Deleting {count:,} took {deleting:.1f} s, adding as many {adding:.1f} s."


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--peer-queries", type=int, default=200)
    parser.add_argument("--data", choices=["people", "uniform"], default="people")
    parser.add_argument(
        "--hnsw-up-to", type=int, default=100_000, help="its build takes many minutes per million"
    )
    parser.add_argument(
        "--change-up-to", type=int, default=1_000_000, help="deleting takes half a minute per 100,000"
    )
    parser.add_argument("--peers-python", type=Path, help="an interpreter that has numpy, faiss and usearch")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument(
        "--folder", type=Path, help="where the stores are made (default: the temporary folder)"
    )
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    python = None if options.no_peers else options.peers_python or search_peers.interpreter()
    print(f"{machine()}; data: {options.data}; top {WANTED} of {DIMENSIONS} dimensions\n")
    print("| faces | method | memory per face | build s | p50 / p95 ms | of numpy | recall@10 |")
    print("|---:|---|---|---:|---:|---:|---:|")
    notes: list[str] = []
    for size in (int(one) for one in options.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            notes += run(size, options, Path(folder), python)
    print("\n" + "\n".join(notes))


def machine() -> str:
    """The processor, its cores and the versions that matter."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    processor = names[0].partition(": ")[2] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"


if __name__ == "__main__":
    main()
