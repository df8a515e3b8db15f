"""What Spark starts ends with it; a cluster that is away, empty or dying is named in time."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from amaas_kit import ports
from amaas_kit.errors import EngineError
from amaas_kit.partition import Plan, Result, verify
from amaas_kit.partition.engines import spark_session
from amaas_kit.partition.engines.spark import Spark
from tests.partition.every_plan import PLANS, hard_table
from tests.partition.spark_cluster import Cluster, spark_cluster

ROWS = 20_000
SECONDS_TO_END = 30


@pytest.fixture(scope="module", autouse=True)
def java() -> None:
    state = Spark().available()
    if not state:
        pytest.skip(f"{state.reason}; {state.command}")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("source") / "t.parquet"
    hard_table(ROWS, seed=11).write_parquet(file)
    return file


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with spark_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


@pytest.mark.parametrize(
    "settings",
    [
        {"master": "yarn"},
        {"master": "spark://nowhere"},
        {"master": "local[0]"},
        {"memory": "1"},
        {"memory": "100m"},
    ],
)
def test_settings_that_make_no_sense(settings):
    (name,) = settings
    with pytest.raises(EngineError, match=rf"{name}=.{re.escape(settings[name])}"):
        Spark(**settings)


def test_an_address_where_nobody_answers(source, tmp_path):
    address = f"spark://{ports.HOST}:{ports.claim(0)}"
    with pytest.raises(EngineError, match=address):
        Spark(address).run(Plan.hash("user", 3), source, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []


def test_an_address_where_another_program_answers(source, tmp_path, monkeypatch):
    monkeypatch.setattr(spark_session, "START_SECONDS", 10.0)
    with socket.create_server((ports.HOST, 0)) as other:
        address = f"spark://{ports.HOST}:{other.getsockname()[1]}"
        with pytest.raises(EngineError, match=rf"{address}(.|\n)*no Spark master"):
            Spark(address).run(Plan.hash("user", 3), source, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []
    assert java_processes() == []


def java_processes() -> list[psutil.Process]:
    """Of Java, those that this process started as sessions; clusters are others."""
    running = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
    return [p for p in running if "py4j.GatewayServer" in p.cmdline()]


def test_a_run_on_a_real_cluster(cluster, source, tmp_path):
    with Spark(cluster.address, "512m", cluster.secret) as spark:
        plan = PLANS["hash of text"]
        result = spark.run(plan, source, tmp_path / "parts")
        assert verify(result, source).ok
        (session,) = java_processes()
        listening = [c.laddr.ip for c in session.net_connections("inet") if c.status == "LISTEN"]
        assert {ip.removeprefix("::ffff:") for ip in listening} == {ports.HOST}
    assert java_processes() == []


def test_a_cluster_that_dies_in_the_middle(cluster, source, tmp_path, monkeypatch):
    monkeypatch.setattr(spark_session, "WORKER_SECONDS", 8.0)

    def kill(share: float | None, doing: str) -> None:
        if "tasks of Spark" in doing:
            cluster.kill()

    with (
        Spark(cluster.address, "512m", cluster.secret) as spark,
        pytest.raises(EngineError, match=rf"{cluster.address}(.|\n)*spark-.*\.log"),
    ):
        spark.run(PLANS["hash of text"], source, tmp_path / "parts", progress=kill)
    assert list(tmp_path.iterdir()) == []
    assert java_processes() == []


def test_a_cluster_without_a_worker(source, tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.setattr(spark_session, "WORKER_SECONDS", 5.0)
    with spark_cluster(tmp_path_factory.mktemp("empty"), workers=0) as empty:
        spark = Spark(empty.address, "512m", empty.secret)
        with pytest.raises(EngineError, match=rf"{empty.address}(.|\n)*no worker"):
            spark.run(Plan.hash("user", 3), source, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []
    assert java_processes() == []


RUN = """
import sys
from amaas_kit.partition import Plan, engine
say = lambda share, doing: print(doing, flush=True)
with engine("spark", master="local[2]") as running:
    running.run(Plan.hash("name", 8), sys.argv[1], sys.argv[2], replace=True, progress=say)
"""


@pytest.mark.parametrize("moment", ["starting Spark", "tasks of Spark"])
def test_a_killed_python_leaves_no_java_and_no_half_target(source, tmp_path, moment):
    target = tmp_path / "parts"
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, str(source), str(target)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert child.stdout is not None
    while moment not in (line := child.stdout.readline()):
        assert line
    if moment == "starting Spark":
        wait_for_children(child.pid)
    descendants = psutil.Process(child.pid).children(recursive=True)
    child.kill()
    child.wait()
    assert descendants
    _, alive = psutil.wait_procs(descendants, timeout=SECONDS_TO_END)
    assert alive == []
    if moment == "tasks of Spark":
        assert list(scratch.iterdir()) == []
    assert not target.exists()
    with Spark("local[2]") as spark:
        result = spark.run(Plan.hash("name", 8), source, target)
    assert verify(Result.open(target), source).ok
    assert result.rows == ROWS
    assert {path.name for path in tmp_path.iterdir()} == {"parts", "tmp"}


def wait_for_children(pid: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_END
    while not psutil.Process(pid).children():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_end_of_the_block_ends_java_and_removes_its_files(source, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spark("local[1]") as spark:
        spark.run(Plan.hash("user", 2), source, tmp_path / "parts")
        assert len(java_processes()) == 1
        assert [path.name for path in tmp_path.iterdir() if path.name != "parts"]
    assert java_processes() == []
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]
    spark.stop()
