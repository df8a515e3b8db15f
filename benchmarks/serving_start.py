"""How long a Bento takes from the command to its first answer, beside TensorFlow's import alone.

    python benchmarks/serving_start.py [--runs 7] [--tag digits]

Without a tag, a small untrained model is packaged into a store of its own first. The runs
alternate, so that a slow minute of the machine meets both; medians are printed with their spread.
The import is timed inside its process: neither Python's start nor its end counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from importlib.metadata import version

GOAL_SECONDS = 4.0
"""A Bento may take so much longer than TensorFlow's import."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--tag", help="a Bento of the store; default: a small one made here")
    arguments = parser.parse_args()
    os.environ |= {"BENTOML_DO_NOT_TRACK": "True", "TF_CPP_MIN_LOG_LEVEL": "2"}
    with tempfile.TemporaryDirectory() as folder:
        if arguments.tag is None:
            os.environ |= {"BENTOML_HOME": f"{folder}/bentoml", "AMAAS_HOME": f"{folder}/amaas"}
        tag = arguments.tag or _package_small_model()
        measured: dict[str, list[float]] = {"import": [], "ready": [], "first answer": []}
        for _ in range(arguments.runs):
            measured["import"].append(_import_seconds())
            ready, answered = _start_seconds(tag)
            measured["ready"].append(ready)
            measured["first answer"].append(answered)
    _print(measured)


def _package_small_model() -> str:
    from amaas_kit.serving import Contract, package
    from amaas_kit.session import tensorflow

    keras = tensorflow().keras
    layers = [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    return package(model, "start-time", contract=Contract(64, "classification"))


def _import_seconds() -> float:
    program = "from time import *; t = time(); import tensorflow; print(time() - t)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return float(done.stdout)


def _start_seconds(tag: str) -> tuple[float, float]:
    """Seconds from `bentoml serve` to readiness, and to the first prediction."""
    from amaas_kit.serving import Client, store

    _, bento = store.find(tag)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(f"{url}/readyz"):
            time.sleep(0.02)
        ready = time.perf_counter() - started
        contract = Client(url).contract()
        Client(url).predict([[contract.minimum or 0.0] * contract.features])
        return ready, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _print(measured: dict[str, list[float]]) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("bentoml", "tensorflow", "numpy"))
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(packages)
    print(
        f"{'':14}{'median':>8}{'least':>8}{'most':>8}   s, {len(measured['import'])} runs in turn"
    )
    for name, seconds in measured.items():
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        print(f"{name:14}" + "".join(f"{figure:8.2f}" for figure in figures))
    over = statistics.median(measured["first answer"]) - statistics.median(measured["import"])
    verdict = "met" if over <= GOAL_SECONDS else "missed"
    print(f"{over:.2f} s from the import to the first answer; goal: {GOAL_SECONDS:g} s, {verdict}")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
