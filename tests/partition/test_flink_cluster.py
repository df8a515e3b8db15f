"""The engine on a Flink cluster: the right one is asked, its death is told, no job is left."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from amaas_kit.errors import EngineError
from amaas_kit.partition import Plan, verify
from amaas_kit.partition.engines.flink import Flink
from amaas_kit.partition.engines.flink_gateway import flink_folder, flink_version
from tests.partition.every_plan import GROUPS, hard_table
from tests.partition.flink_cluster import RealCluster

ROWS = 1_200_000
PLAN = Plan.hash("user", 4)
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def stores(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("amaas")))
        yield


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    file = tmp_path_factory.mktemp("source") / "table.parquet"
    hard_table(ROWS, seed=3).write_parquet(file)
    return file


@pytest.fixture(scope="module")
def few_rows(tmp_path_factory):
    file = tmp_path_factory.mktemp("few") / "table.parquet"
    hard_table(2_000, seed=3).write_parquet(file)
    return file


@pytest.fixture(scope="module", autouse=True)
def needs():
    state = Flink().available()
    if not state:
        pytest.skip(f"{state.reason}; {state.command}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[RealCluster]:
    running = RealCluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@contextlib.contextmanager
def answering(content: object) -> Iterator[str]:
    """A server that answers every question with the same JSON."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def refused(address, source, tmp_path) -> str:
    """What is said of an address that is no use, within ten seconds and without a trace."""
    begun = time.monotonic()
    with Flink(address=address) as flink, pytest.raises(EngineError) as caught:
        flink.run(PLAN, source, tmp_path / "parts")
    assert time.monotonic() - begun < 10
    assert address in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    return str(caught.value)


def test_nobody_answers(few_rows, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "nobody answers" in refused(address, few_rows, tmp_path)


def test_somebody_listens_and_says_nothing(few_rows, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert "nobody answers" in refused(address, few_rows, tmp_path)


def test_somebody_says_a_letter_now_and_then(few_rows, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip():
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                while not over.wait(0.5):
                    line.sendall(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert "is not Flink" in refused(address, few_rows, tmp_path)
        over.set()
        thread.join()


@pytest.mark.parametrize("content", [{"status": "ok"}, [1, 2], "hello"])
def test_another_program_answers(few_rows, tmp_path, content):
    with answering(content) as address:
        assert "is not Flink" in refused(address, few_rows, tmp_path)


def test_something_that_is_not_http_answers(few_rows, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            line, _ = server.accept()
            with line:
                line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert "is not Flink" in refused(address, few_rows, tmp_path)
        thread.join()


def test_another_version_answers(few_rows, tmp_path):
    with answering({"flink-version": "1.20.1", "slots-total": 2}) as address:
        said = refused(address, few_rows, tmp_path)
    assert "Flink 1.20.1" in said
    assert f"Flink {flink_version(flink_folder())}" in said


def test_a_job_manager_without_workers(few_rows, tmp_path_factory, tmp_path):
    alone = RealCluster(tmp_path_factory.mktemp("alone"), workers=False)
    try:
        assert "TaskManager" in refused(alone.address, few_rows, tmp_path)
    finally:
        alone.stop()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8081", "https://host:8081", "http://host", "http://host:x", 8081]
)
def test_an_address_that_is_none(address):
    with pytest.raises(EngineError, match="http"):
        Flink(address=address)


def test_a_cluster_makes_the_same_parts(cluster, few_rows, tmp_path):
    plan = PLAN.then(Plan.columns(GROUPS, "row_id"))
    with Flink(cluster.address) as flink:
        result = flink.run(plan, few_rows, tmp_path / "parts")
    assert result.rows == 2_000
    verification = verify(result, few_rows)
    assert verification.ok, verification
    assert cluster.job_manager.poll() is None


def test_a_cluster_tells_how_far_it_is(cluster, source, tmp_path):
    shares = []

    def progress(share, doing):
        if doing.startswith("Flink"):
            shares.append(share)

    with Flink(cluster.address) as flink:
        flink.run(PLAN, source, tmp_path / "parts", progress=progress)
    known = [share for share in shares if share is not None]
    assert known
    assert known == sorted(known)
    assert known[-1] <= 1


@pytest.mark.parametrize("who", ["job_manager", "task_manager"])
def test_a_cluster_that_dies_in_the_middle(tmp_path_factory, source, tmp_path, who):
    dying = RealCluster(tmp_path_factory.mktemp("dying"))
    try:
        moments = []

        def progress(share, doing):
            if share and doing.startswith("Flink") and not moments:
                moments.append(time.monotonic())
                getattr(dying, who).kill()

        with Flink(dying.address) as flink:
            with pytest.raises(EngineError, match=dying.address):
                flink.run(PLAN, source, tmp_path / "parts", progress=progress)
            assert time.monotonic() - moments[0] < PATIENCE_SECONDS
    finally:
        dying.stop()
    assert list(tmp_path.iterdir()) == []


RUN = """
import sys
from amaas_kit.partition import Plan, engine
with engine("flink", address=sys.argv[1]) as flink:
    flink.run(
        Plan.hash("user", 4), *sys.argv[2:4], progress=lambda *told: print(*told, flush=True)
    )
    print("done", flush=True)
"""


@contextlib.contextmanager
def child_in_the_middle(cluster, source, target) -> Iterator[subprocess.Popen[str]]:
    """A process whose job is running on the cluster."""
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, cluster.address, str(source), str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not re.match(r"0\..* Flink", child.stdout.readline()):
            assert child.poll() is None
        yield child
    finally:
        child.kill()
        child.communicate()


def jobs(cluster, *states: str) -> set[str]:
    return {job["id"] for job in cluster.get("/jobs")["jobs"] if job["status"] in states}


def wait_until_idle(cluster) -> None:
    """Return when no job runs, which is soon after the last word of those who wanted them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while jobs(cluster, "CREATED", "RUNNING", "CANCELLING"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_ctrl_c_cancels_the_job(cluster, source, tmp_path):
    before = jobs(cluster, "CANCELED")
    with child_in_the_middle(cluster, source, tmp_path / "parts") as child:
        os.kill(child.pid, signal.SIGINT)
        _, complaint = child.communicate(timeout=PATIENCE_SECONDS)
    assert complaint.rstrip().endswith("KeyboardInterrupt")
    assert len(jobs(cluster, "CANCELED") - before) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("draw", range(2))
def test_a_killed_process_leaves_no_job_and_no_java(cluster, source, few_rows, tmp_path, draw):
    target = tmp_path / "parts"
    with child_in_the_middle(cluster, source, target) as child:
        started = psutil.Process(child.pid).children(recursive=True)
        time.sleep(draw)
        child.kill()
        child.wait()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert (len(started), alive) == (1, [])
    wait_until_idle(cluster)
    assert not target.exists()
    with Flink(cluster.address) as flink:
        result = flink.run(PLAN, few_rows, target)
    assert verify(result, few_rows).ok
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
