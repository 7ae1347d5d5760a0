"""faiss and usearch, in a process and an interpreter of their own, for benchmarks/search.py."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("faiss Flat", "usearch exact", "usearch HNSW, ef 64", "usearch HNSW, ef 512")
DIMENSIONS = 128
WANTED = 10


def start(python: Path, vectors: Path) -> subprocess.Popen[str]:
    """The process of the peers, over vectors in a .npy file."""
    command = [python, __file__, vectors]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


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


def _serve(path: Path) -> None:
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


def interpreter() -> Path:
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


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
