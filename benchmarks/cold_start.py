"""How long the handlers of AWS Lambda take to import, beside boto3, which such functions mostly begin with.

    python benchmarks/cold_start.py [--runs 15]

Each import is timed inside a process of its own, in turn. The exit code is 1 when the handlers take longer than
boto3 and 0.3 seconds more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWANCE = 0.3  # seconds beside the import of boto3

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
MODULES = ("boto3", "facesearch.aws_lambda")


def seconds(module: str) -> float:
    """How long a module takes to import in a new process."""
    code = [sys.executable, "-c", TIMED.format(module)]
    return float(subprocess.run(code, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Read the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as bytecode:
        # As in a deployed function: everything compiled once, whatever this shell or installation says.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(PYTHONPATH=str(ROOT), PYTHONPYCACHEPREFIX=bytecode)
        for module in MODULES:
            seconds(module)
        taken = [[seconds(module) for module in MODULES] for _ in range(options.runs)]
    boto3, handlers = (statistics.median(some) for some in zip(*taken, strict=True))
    print(f"medians of {options.runs} processes\n\n| import | ms | of boto3 |\n|---|---:|---:|")
    for module, median in zip(MODULES, (boto3, handlers), strict=True):
        print(f"| {module} | {median * 1e3:.0f} | {median / boto3:.2f} |")
    sys.exit(handlers > boto3 + ALLOWANCE)


if __name__ == "__main__":
    main()
