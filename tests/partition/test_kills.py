"""A run that is killed at any moment leaves its target whole or absent, and nothing running."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from amaas_kit.partition import Engine, Plan, Result, engine, verify
from tests.partition.every_plan import hard_table

DRAWS = 20 if os.environ.get("AMAAS_SOAK") == "1" else 2
PLAN = Plan.hash("user", 8)
ROWS = 60_000

RUN = """
import sys
from amaas_kit.partition import Plan, engine
print("begins", flush=True)
with engine(sys.argv[1]) as running:
    running.run(Plan.hash("user", 8), sys.argv[2], sys.argv[3], replace=True)
    print("done", flush=True)
"""

SECONDS_TO_END = 30
"""So long what a killed process had started may take to notice."""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("source") / "table.parquet"
    hard_table(ROWS, seed=5).write_parquet(file)
    return file


@pytest.fixture(scope="module", params=["local", "spark", "flink", "hadoop"])
def running(request) -> Iterator[Engine]:
    chosen = engine(request.param)
    state = chosen.available()
    if not state:
        pytest.skip(f"{state.reason}; {state.command}")
    with chosen:
        yield chosen


@pytest.fixture(scope="module")
def whole_run(running, source, tmp_path_factory) -> float:
    """How many seconds a run takes that nobody disturbs."""
    target = tmp_path_factory.mktemp("whole") / "parts"
    child = start(running, source, target)
    begun = time.monotonic()
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"
    seconds = time.monotonic() - begun
    assert child.wait() == 0
    return seconds


def start(running: Engine, source: Path, target: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, running.name, str(source), str(target)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    return child


@pytest.mark.parametrize("draw", range(DRAWS))
def test_a_killed_run(running, whole_run, source, tmp_path, draw):
    target = tmp_path / "parts"
    replacing = draw % 2 == 1
    if replacing:
        running.run(Plan.hash("user", 3), source, target)
    child = start(running, source, target)
    moment = random.Random(f"{running.name} {draw}").uniform(0, whole_run)
    descendants = killed_after(child, moment)
    _, alive = psutil.wait_procs(descendants, timeout=SECONDS_TO_END)
    assert alive == []
    if replacing or target.exists():
        verification = verify(Result.open(target), source)
        assert verification.ok, verification
    result = running.run(PLAN, source, target, replace=True)
    assert result.rows == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def killed_after(child: subprocess.Popen[str], seconds: float) -> list[psutil.Process]:
    """Kill a process as a power cut would; the processes that it had started."""
    time.sleep(seconds)
    process = psutil.Process(child.pid)
    descendants = process.children(recursive=True)
    child.kill()
    child.wait()
    return descendants
