"""Print how long `tinygen generate` takes, interpreter start included.

usage: python firmware_tests/benchmarks/generate_seconds.py MODEL.tflite...
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

BOARD = "mps2-an386"
RUNS = 5


def seconds(model: Path) -> float:
    """The fastest of a few runs, each in a fresh interpreter and an empty directory."""
    best = float("inf")
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="tinygen-bench-") as directory:
            command = [sys.executable, "-m", "tinygen", "generate", str(model)]
            options = ["--board", BOARD, "-o", f"{directory}/project"]
            start = time.perf_counter()
            subprocess.run([*command, *options], check=True, capture_output=True)
            best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Print one line per model named on the command line."""
    for name in sys.argv[1:]:
        print(f"{seconds(Path(name)):6.2f} s  tinygen generate {Path(name).name} --board {BOARD}")


if __name__ == "__main__":
    main()
