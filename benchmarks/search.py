"""How fast, how large and how right the search for the nearest faces is, beside numpy, faiss and usearch.

    python benchmarks/search.py [--sizes 10000,100000,1000000] [--queries 1000] [--peers-python PATH | --no-peers]

One run per size, every method on the same vectors, query after query in turn, so that a busy machine slows all
alike: read the ratios. The vectors are drawn to the statistics of real faces (dlib's descriptors of Labeled Faces
in the Wild): their spread, how far photos of one person and of two lie apart. `--data uniform` draws them without
structure, the worst case of a search by bounds. The peers are installed into a virtualenv of their own in the
temporary folder. On a busy machine OPENBLAS_NUM_THREADS=1 steadies numpy, and what uses it.

Needs about 1.4 GB of memory and 1.4 GB of disk per million faces, and twice that memory with the peers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

WANTED = 10
DIMENSIONS = 128
PEERS = ("faiss Flat", "usearch exact", "usearch HNSW, ef 64", "usearch HNSW, ef 512")


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

    def search(self, query: np.ndarray) -> tuple[float, list[int]]:
        """Seconds, and the rows found."""
        start = time.perf_counter()
        products = self.vectors @ query
        found = np.argpartition(products, len(products) - WANTED)[len(products) - WANTED :]
        return time.perf_counter() - start, found.tolist()


class Facesearch:
    """The engine's own store and index; a face's row is told by its number."""

    name = "facesearch"

    def __init__(self, path: Path, vectors: np.ndarray) -> None:
        from facesearch.engine.storage import Store

        self.store = Store(path)
        self.store.create_collection("faces", "1.0", {})
        self.rows: dict[int, int] = {}
        self.images = 0
        self.add(vectors, range(len(vectors)))
        start = time.perf_counter()
        self.open()
        self.build = time.perf_counter() - start
        start = time.perf_counter()
        self.open()
        self.opening = time.perf_counter() - start

    def open(self) -> None:
        """Begin as a new process does, up to its first answer."""
        from facesearch.engine.index import Indexes

        self.indexes = Indexes(self.store)
        self.search(np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32))

    def add(self, vectors: np.ndarray, rows: Sequence[int]) -> None:
        """Store vectors, which are the rows of those numbers."""
        from facesearch.engine.storage import NewFace

        for start in range(0, len(vectors), 20_000):
            self.images += 1
            faces = [
                NewFace(0.1, 0.1, 0.5, 0.5, 99.0, vector.tobytes())
                for vector in vectors[start : start + 20_000]
            ]
            stored = self.store.add_faces("faces", "1.0", str(self.images), None, faces)
            for face, row in zip(stored, rows[start : start + 20_000], strict=True):
                self.rows[face.number] = row

    def delete(self, rows: set[int]) -> None:
        """Delete the faces of those rows, as many to a call as Rekognition takes."""
        number = self.store.collection("faces").number
        wanted = [face for face, row in self.rows.items() if row in rows]
        for start in range(0, len(wanted), 4096):
            faces = self.store.faces_by_number(number, wanted[start : start + 4096])
            self.store.delete_faces("faces", [face.face_id for face in faces.values()])
        for face in wanted:
            del self.rows[face]

    def search(self, query: np.ndarray) -> tuple[float, list[int]]:
        """Seconds, with the look at the store that every search begins with, and the rows found."""
        start = time.perf_counter()
        found = self.indexes.nearest(self.store.collection("faces"), query, WANTED)
        return time.perf_counter() - start, [self.rows[one.number] for one in found]


class Peer:
    """One method in the process of the peers."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self.name = name
        self._process = process
        answer = self._ask({"build": name})
        self.build, self.bytes = answer["seconds"], answer["bytes"]

    def search(self, query: np.ndarray) -> tuple[float, list[int]]:
        """Seconds as that process measured them, and the rows found."""
        answer = self._ask({"search": self.name, "query": query.tolist()})
        return answer["seconds"], answer["rows"]

    def _ask(self, question: dict[str, object]) -> dict:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve_peers(path: Path) -> None:
    """Answer the questions of `Peer`, in an interpreter that has faiss and usearch."""
    import faiss
    from usearch import index as usearch

    vectors = np.load(path, mmap_mode="r")
    made: dict[str, Any] = {}

    def build(name: str) -> int:
        if name == "faiss Flat":
            made[name] = faiss.IndexFlatL2(DIMENSIONS)
            made[name].add(np.ascontiguousarray(vectors))
            return 4 * DIMENSIONS
        if name == "usearch exact":
            made[name] = np.array(vectors)
            return 4 * DIMENSIONS
        if "HNSW" not in made:
            start = time.perf_counter()
            made["HNSW"] = usearch.Index(
                ndim=DIMENSIONS, metric="l2sq", dtype="f16", connectivity=16, expansion_add=64
            )
            made["HNSW"].add(np.arange(len(vectors)), np.array(vectors), threads=os.cpu_count() or 1)
            made["seconds"] = time.perf_counter() - start
        return made["HNSW"].memory_usage // len(vectors)

    def search(name: str, query: np.ndarray) -> list[int]:
        if name == "faiss Flat":
            return made[name].search(query[np.newaxis], WANTED)[1][0].tolist()
        if name == "usearch exact":
            found = usearch.search(made[name], query, WANTED, metric="l2sq", exact=True)
        else:
            made["HNSW"].expansion_search = int(name.rpartition(" ")[2])
            found = made["HNSW"].search(query, WANTED)
        return [int(key) for key in found.keys]

    for line in sys.stdin:
        question = json.loads(line)
        if "build" in question:
            start = time.perf_counter()
            answer = {"bytes": int(build(question["build"])), "seconds": time.perf_counter() - start}
            if "HNSW" in question["build"]:
                answer["seconds"] = made["seconds"]
        else:
            query = np.array(question["query"], np.float32)
            start = time.perf_counter()
            answer = {"rows": search(question["search"], query), "seconds": time.perf_counter() - start}
        print(json.dumps(answer), flush=True)


def peers_python() -> Path:
    """An interpreter with the peers, in a virtualenv that is made once."""
    folder = (
        Path(tempfile.gettempdir()) / f"facesearch-search-peers-{platform.python_version()}-{os.getuid()}"
    )
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "numpy", "faiss-cpu", "usearch"], check=True)
        ready.touch()
    return python


def truth(vectors: np.ndarray, query: np.ndarray) -> set[int]:
    """The nearest rows in float64, out of the best hundred by float32."""
    products = vectors @ query
    best = np.argpartition(products, len(products) - 100)[len(products) - 100 :]
    distances = np.linalg.norm(vectors[best].astype(np.float64) - query, axis=1)
    return set(best[np.argsort(distances)[:WANTED]].tolist())


def measure(methods: list, numbers: list[int], vectors: np.ndarray, queries: np.ndarray) -> dict[str, dict]:
    """Each method's times and recall, asked in turn; method n is asked the first numbers[n] of the queries."""
    times: dict[str, list[float]] = {method.name: [] for method in methods}
    right: dict[str, int] = dict.fromkeys(times, 0)
    for method in methods:
        method.search(queries[0])
    for position, query in enumerate(queries):
        expected = truth(vectors, query)
        for method, number in zip(methods, numbers, strict=True):
            if position < number:
                seconds, rows = method.search(query)
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
    vectors, queries = source.photos(size), source.photos(options.queries)
    ours, plain = Facesearch(folder / "engine.db", vectors), Numpy(vectors)
    methods, numbers, process = [ours, plain], [len(queries)] * 2, None
    if python is not None:
        np.save(folder / "vectors.npy", vectors)
        process = subprocess.Popen(
            [python, __file__, "--serve-peers", folder / "vectors.npy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        names = [name for name in PEERS if "HNSW" not in name or size <= options.hnsw_up_to]
        methods += [Peer(process, name) for name in names]
        numbers += [min(options.peer_queries, len(queries))] * len(names)
    results = measure(methods, numbers, vectors, queries)
    files = sum(file.stat().st_size for file in folder.glob("engine.db-vectors/*"))
    memory = f"{files / size:.0f} B mapped, 160 B of it read" if files else f"{4 * DIMENSIONS + 12} B"
    row(size, ours.name, memory, f"{ours.build:.1f}", results[ours.name])
    row(size, plain.name, f"{4 * DIMENSIONS} B", "0", results[plain.name])
    for peer in methods[2:]:
        row(size, peer.name, f"{peer.bytes} B", f"{peer.build:.1f}", results[peer.name])
    if process is not None:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    changed = change(ours, plain, source)
    results = measure([ours, plain], [len(queries)] * 2, vectors, queries)
    row(size, f"{ours.name}, {size // 10:,} deleted and added", "", "", results[ours.name])
    row(size, f"{plain.name}, the same", "", "", results[plain.name])
    ours.store.close()
    return [f"{size:,} faces: a new process answers first after {ours.opening * 1e3:.0f} ms. {changed}"]


def change(ours: Facesearch, plain: Numpy, source: People | Uniform) -> str:
    """Delete a tenth of the faces and add as many."""
    count = len(plain.vectors) // 10
    gone = np.random.default_rng(2).choice(len(plain.vectors), count, replace=False)
    start = time.perf_counter()
    ours.delete(set(gone.tolist()))
    deleting = time.perf_counter() - start
    plain.vectors[gone] = source.photos(count)
    start = time.perf_counter()
    ours.add(plain.vectors[gone], gone.tolist())
    adding = time.perf_counter() - start
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
        "--hnsw-up-to", type=int, default=1_000_000, help="its build takes minutes per million"
    )
    parser.add_argument("--peers-python", type=Path, help="an interpreter that has numpy, faiss and usearch")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument(
        "--folder", type=Path, help="where the stores are made (default: the temporary folder)"
    )
    parser.add_argument("--serve-peers", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_peers:
        serve_peers(options.serve_peers)
        return
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    python = None if options.no_peers else options.peers_python or peers_python()
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
