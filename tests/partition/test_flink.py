"""The engine on Flink's own small cluster: the reference's parts, and no process left behind."""

from __future__ import annotations

import ipaddress
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import EngineError
from amaas_kit.partition import Plan, engine
from amaas_kit.partition.cut import fit
from amaas_kit.partition.engines.flink import Flink
from amaas_kit.partition.source import Table
from tests.partition.every_plan import hard_table

ROWS = 3_000

HARD_BOUNDS = {
    "numbers": Plan.range("user", [-(2**63), *range(-5_000, 5_000, 10), 2**63 - 1]),
    "real numbers": Plan.range("x", [-0.0, *(n / 100 for n in range(1, 100))], nulls=7),
    "texts": Plan.range("name", sorted({f"user-{n}\t%" for n in range(300)} | {"𝄞", "\ufffd"})),
    "a few texts": Plan.range("name", ["\x01", "a\nb\r", "it's", "x\ty", "\u2028", "\ufffd"]),
    "extremes": Plan.range("user", [-(2**63), 2**63 - 1]),
    "real extremes": Plan.range("x", [-5e-324, 0.1, 1.7976931348623157e308]),
}


@pytest.fixture(scope="module", autouse=True)
def stores(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("amaas")))
        yield


@pytest.fixture(scope="module")
def flink():
    with Flink() as running:
        state = running.available()
        if not state:
            pytest.skip(f"{state.reason}; {state.command}")
        yield running


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "table.parquet"
    hard_table(ROWS, seed=2).write_parquet(file)
    return file


def check_every_row(result, source):
    rows = Table.open(source).scan().collect()
    numbers = fit(result.plan, Table.open(source)).part_numbers(
        rows, pl.arange(len(rows), eager=True).to_numpy()
    )
    expected = rows.insert_column(0, pl.Series("part", numbers))
    by = expected.columns
    assert_frame_equal(result.scan().collect().sort(by), expected.sort(by), check_exact=True)


@pytest.mark.parametrize("name", HARD_BOUNDS)
def test_bounds_that_sql_could_get_wrong(flink, source, tmp_path, name):
    result = flink.run(HARD_BOUNDS[name], source, tmp_path / "parts")
    check_every_row(result, source)


def test_infinity_is_a_key_of_a_range(flink, tmp_path):
    source = tmp_path / "table.parquet"
    x = [float("inf"), -float("inf"), 0.0, -0.0, None, 5e-324, -1.5] * 3
    pl.DataFrame({"x": x}).write_parquet(source)
    check_every_row(flink.run(Plan.range("x", [-1.5, 0.0]), source, tmp_path / "parts"), source)


def test_rows_that_are_empty_lines(flink, tmp_path):
    source = tmp_path / "table.parquet"
    pl.DataFrame({"name": ["", None, "a", "", " ", "%N"] * 5}).write_parquet(source)
    check_every_row(flink.run(Plan.hash("name", 3), source, tmp_path / "parts"), source)


def test_many_parts_of_many_groups(flink, source, tmp_path):
    columns = [name for name in hard_table(10, seed=2).schema if name != "row_id"]
    groups = Plan.columns([[name] for name in columns], "row_id")
    check_every_row(
        flink.run(Plan.hash("user", 64).then(groups), source, tmp_path / "parts"), source
    )


def test_a_target_with_a_name_that_a_url_would_write_otherwise(flink, source, tmp_path):
    target = tmp_path / "it's 100 %41 #1 é" / "parts"
    check_every_row(flink.run(Plan.hash("user", 4), source, target), source)


def test_progress_tells_the_phases_and_no_share_beyond_the_whole(flink, source, tmp_path):
    told = []
    flink.run(
        Plan.hash("user", 4), source, tmp_path / "parts", progress=lambda *seen: told.append(seen)
    )
    assert any("Flink" in doing for _, doing in told)
    assert all(share is None or 0 <= share <= 1 for share, _ in told)


def java_of(flink) -> psutil.Process:
    return psutil.Process(flink._gateway._process.pid)


def test_threads_with_one_engine_take_turns(flink, source, tmp_path):
    whose = []

    def run(name):
        def progress(share, doing):
            if "Flink" in doing or "lines" in doing:
                whose.append(name)

        return flink.run(Plan.hash("user", 3), source, tmp_path / name, progress=progress)

    with ThreadPoolExecutor(2) as threads:
        for result in threads.map(run, ["one", "other"]):
            check_every_row(result, source)
    assert len([*itertools.groupby(whose)]) == 2


def test_java_listens_on_loopback_only(flink, source, tmp_path):
    seen = []

    def look(share, doing):
        if flink._gateway is not None:
            seen.extend(java_of(flink).net_connections("inet"))

    flink.run(Plan.hash("user", 4), source, tmp_path / "parts", progress=look)
    addresses = {line.laddr.ip for line in seen if line.status == psutil.CONN_LISTEN}
    assert addresses
    assert all(loopback(address) for address in addresses)


def loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def test_java_obeys_nobody_without_the_token(flink, source, tmp_path):
    flink.run(Plan.hash("user", 4), source, tmp_path / "parts")
    port = flink._gateway.gateway.gateway_parameters.port
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.settimeout(10)
        line.sendall(b"r\nu\njava\nrj\ne\n")
        assert not line.recv(1000).startswith(b"!y")


def test_nothing_is_left_after_stop_and_it_can_be_used_again(source, tmp_path):
    with Flink() as flink:
        flink.run(Plan.hash("user", 4), source, tmp_path / "parts")
        java = java_of(flink)
        flink.stop()
        assert not java.is_running()
        flink.stop()
        flink.run(Plan.hash("user", 4), source, tmp_path / "again")
        java = java_of(flink)
    assert not java.is_running()


def test_importing_it_starts_nothing_and_needs_no_py4j():
    look = "import sys, amaas_kit.partition.engines.flink; print('py4j' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert seen.stdout == "False\n"


def at_first_sign_of(word: str, act: Callable[[], object]) -> Callable[..., None]:
    """A progress that acts once, when what is being done has this word."""
    done = []

    def progress(share, doing):
        if word in doing and not done:
            done.append(threading.Timer(1.0, act))
            done[0].start()

    return progress


def test_java_that_is_killed_is_an_error_and_the_next_run_succeeds(flink, source, tmp_path):
    large = tmp_path / "large.parquet"
    pl.concat([pl.read_parquet(source)] * 1_000).write_parquet(large)
    kill = at_first_sign_of("Flink reads", lambda: java_of(flink).kill())
    flink.run(Plan.hash("user", 2), source, tmp_path / "first")
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(EngineError, match=r"Java ended with status -9") as caught:
        flink.run(Plan.hash("user", 4), large, tmp_path / "parts", progress=kill)
    assert str(flink._gateway.log) in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert flink.run(Plan.hash("user", 4), source, tmp_path / "parts").rows == ROWS


def test_a_failure_is_said_in_one_line_and_the_log_has_the_rest(flink, source, tmp_path):
    flink.run(Plan.hash("user", 2), source, tmp_path / "first")

    def spoil(share, doing):
        if doing == "starting Flink":
            for file in tmp_path.glob(".parts.*.cutting/scratch/lines/*"):
                file.write_text("no number\tx\n")

    with pytest.raises(EngineError) as caught:
        flink.run(Plan.hash("user", 4), source, tmp_path / "parts", progress=spoil)
    assert "NumberFormatException" in caught.value.seen
    assert len(caught.value.seen.splitlines()) == 1
    assert "Caused by: " in flink._gateway.log.read_text()
    assert not (tmp_path / "parts").exists()
    flink.run(Plan.hash("user", 4), source, tmp_path / "parts")


def test_too_little_memory_is_an_error_that_says_so(source, tmp_path):
    with Flink(memory="8m") as flink, pytest.raises(EngineError, match="memory"):
        flink.run(Plan.hash("user", 4), source, tmp_path / "parts")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


@pytest.mark.parametrize(
    "setting", [{"parallelism": 0}, {"parallelism": "2"}, {"memory": "much"}, {"memory": 1}]
)
def test_settings_that_make_no_sense(setting):
    (value,) = setting.values()
    with pytest.raises(EngineError, match=repr(value)):
        engine("flink", **setting)


RUN = """
import sys
from amaas_kit.partition import Plan, engine
with engine("flink") as flink:
    flink.run(Plan.hash("user", 4), *sys.argv[1:3], progress=lambda *told: print(*told, flush=True))
"""


def test_ctrl_c_ends_the_job_and_java(source, tmp_path):
    pl.concat([pl.read_parquet(source)] * 200).write_parquet(source)
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, str(source), str(tmp_path / "parts")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "Flink reads" not in child.stdout.readline():
        assert child.poll() is None
    (java,) = psutil.Process(child.pid).children()
    os.kill(child.pid, signal.SIGINT)
    begun = time.monotonic()
    _, complaint = child.communicate(timeout=60)
    assert complaint.rstrip().endswith("KeyboardInterrupt")
    assert time.monotonic() - begun < 30
    assert not java.is_running()
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
