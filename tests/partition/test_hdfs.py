"""Hadoop on a real HDFS: whole or not at all there too, whatever dies, and nothing left behind."""

from __future__ import annotations

import contextlib
import getpass
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError, EngineError
from amaas_kit.partition import Plan, Result, engine, verify
from amaas_kit.partition.engines.hadoop import Hadoop
from tests.partition.every_plan import GROUPS, hard_table
from tests.partition.hdfs_cluster import Hdfs, NoJarsError, hdfs_jars

ROWS = 100_000
PLAN = Plan.hash("user", 8)
OTHER = Plan.hash("user", 3)
DRAWS = 8

PATIENCE_SECONDS = 60
"""So long a run may take to tell that a server has died."""

USER = getpass.getuser()
HOME = {"user", f"user/{USER}"}
"""The home folder of HDFS, which stays once it is made."""

LEASE_SECONDS = 61
"""After so long HDFS gives the lease of a silent process to another."""

READ_BACK = "reading the parts back"
"""What a run says last before it copies its parts to HDFS."""

RUN = """
import sys
from amaas_kit.partition import Plan, engine
source, target, *folder = sys.argv[1:]
with engine("hadoop", **dict(zip(["configuration"], folder))) as running:
    running.run(
        Plan.hash("user", 8), source, target, replace=True,
        progress=lambda share, doing: print(doing, flush=True),
    )
    print("done", flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def needs(tmp_path_factory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("amaas")))
        state = Hadoop().available()
        if not state:
            pytest.skip(f"{state.reason}; {state.command}")
        try:
            hdfs_jars()
        except NoJarsError as reason:
            pytest.skip(f"the jars of HDFS cannot be fetched: {reason}")
        yield


@pytest.fixture(scope="module")
def hdfs(needs, tmp_path_factory) -> Iterator[Hdfs]:
    running = Hdfs(tmp_path_factory.mktemp("hdfs"))
    yield running
    running.stop()


@pytest.fixture
def dying(tmp_path) -> Iterator[Hdfs]:
    """One of its own for a test that kills it."""
    folder = tmp_path / "hdfs"
    folder.mkdir()
    running = Hdfs(folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def hadoop(needs) -> Iterator[Hadoop]:
    with Hadoop() as running:
        yield running


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("source") / "table.parquet"
    hard_table(ROWS, seed=9).write_parquet(file)
    return file


@pytest.fixture
def target(hdfs, request) -> str:
    """An address of its own for each test."""
    name = request.node.name.replace("[", "-").replace(" ", "-").rstrip("]")
    return f"{hdfs.address}/{name}/parts"


def at(hdfs: Hdfs, target: str) -> set[str]:
    """What lies in the folder that holds a target, hidden or not, and in the home folder."""
    folder = target.removeprefix(f"{hdfs.address}/").rpartition("/")[0]
    kept = ("user/", f"{folder}/")
    return {name for name in hdfs.names() if name.startswith(kept) and "/parts/" not in name}


def only_parts(hdfs: Hdfs, target: str) -> bool:
    """Whether there is the target and nothing else, in no home folder either."""
    return {name.rpartition("/")[2] for name in at(hdfs, target)} - {USER} == {"parts"}


def test_a_table_in_hdfs_is_cut_here(hdfs, hadoop, source, tmp_path):
    hdfs.shell("-mkdir", "-p", "/tables")
    hdfs.shell("-put", str(source), "/tables/table.parquet")
    address = f"{hdfs.address}/tables/table.parquet"
    result = hadoop.run(PLAN, address, tmp_path / "parts")
    verification = verify(result, source)
    assert verification.ok, verification
    assert result.manifest.source.path == address
    assert verify(result).notes == (
        f"{address} is not there, so the parts were compared with their manifest alone.",
    )


def test_an_address_without_a_host_is_in_the_cluster_of_the_configuration(hdfs, source, tmp_path):
    hdfs.shell("-mkdir", "-p", "/here")
    hdfs.shell("-put", str(source), "/here/table.parquet")
    with Hadoop(configuration=hdfs.client()) as running:
        result = running.run(PLAN, "hdfs:///here/table.parquet", "hdfs:///here/parts")
        assert verify(result, source).ok
    assert "here/parts/manifest.json" in hdfs.names()


def test_a_bad_table_in_hdfs_is_named_by_its_address(hdfs, hadoop, source, tmp_path):
    cut_short = tmp_path / "short.parquet"
    cut_short.write_bytes(source.read_bytes()[:-100])
    hdfs.shell("-mkdir", "-p", "/bad")
    for file in (source, cut_short):
        hdfs.shell("-put", str(file), f"/bad/{file.name}")
    address = f"{hdfs.address}/bad/short.parquet"
    with pytest.raises(DataError, match=f"While reading {address}\n(.|\n)*cut short"):
        hadoop.run(PLAN, address, tmp_path / "parts")
    address = f"{hdfs.address}/bad/table.parquet"
    with pytest.raises(DataError, match=f"While cutting {address} by (.|\n)*no_such"):
        hadoop.run(Plan.hash("no_such", 2), address, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_a_target_in_hdfs_holds_each_row(hdfs, hadoop, source, target, tmp_path):
    plan = OTHER.then(Plan.columns(GROUPS, "row_id"))
    result = hadoop.run(plan, source, target)
    assert verify(result, source).ok
    hdfs.shell("-get", target, str(tmp_path / "by-another"))
    hadoop.fetch(target, tmp_path / "fetched")
    for folder in (tmp_path / "by-another", tmp_path / "fetched"):
        verification = verify(Result.open(folder), source)
        assert verification.ok, verification
        rows = Result.open(folder).scan().drop("part").collect().sort("row_id")
        assert_frame_equal(rows, hard_table(ROWS, seed=9).sort("row_id"), check_column_order=False)
    assert only_parts(hdfs, target)


def test_a_target_in_hdfs_gives_way_only_when_told(hdfs, hadoop, source, target, tmp_path):
    hadoop.run(OTHER, source, target)
    with pytest.raises(DataError, match=rf"the target exists: {target}(.|\n)*replace=True"):
        hadoop.run(PLAN, source, target)
    assert Result.open(hadoop.fetch(target, tmp_path / "first")).plan == OTHER
    hadoop.run(PLAN, source, target, replace=True)
    second = Result.open(hadoop.fetch(target, tmp_path / "second"))
    assert second.plan == PLAN
    assert verify(second, source).ok
    assert only_parts(hdfs, target)


STRANGERS = ["file", "manifest", "beside", "in a part", "a part", "damaged"]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_others_have_in_hdfs_never_gives_way(hdfs, hadoop, source, target, stranger, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    if stranger == "file":
        hdfs.shell("-mkdir", "-p", target.rpartition("/")[0])
        hdfs.shell("-put", str(tmp_path / "manifest.json"), target)
    elif stranger == "manifest":
        hdfs.shell("-mkdir", "-p", target)
        hdfs.shell("-put", str(tmp_path / "manifest.json"), f"{target}/manifest.json")
    elif stranger == "damaged":
        hadoop.run(OTHER, source, target)
        (tmp_path / "short.json").write_text('{"kind": "amaas-kit parts", "format": 1')
        hdfs.shell("-put", "-f", str(tmp_path / "short.json"), f"{target}/manifest.json")
    else:
        hadoop.run(OTHER, source, target)
        place = {"beside": "thesis.txt", "in a part": "part=0/notes.txt", "a part": "part=my/x"}
        guest = f"{target}/{place[stranger]}"
        hdfs.shell("-mkdir", "-p", guest.rpartition("/")[0])
        hdfs.shell("-put", str(tmp_path / "manifest.json"), guest)
    before = hdfs.names()
    with pytest.raises(DataError, match=rf"the target exists, and (.|\n)*{target}"):
        hadoop.run(PLAN, source, target, replace=True)
    assert hdfs.names() == before


def test_a_table_and_its_parts_lie_apart_in_hdfs_too(hdfs, hadoop, source, target):
    hadoop.run(OTHER, source, target)
    for place in (target, f"{target}/part=9", target.rpartition("/")[0]):
        with pytest.raises(DataError, match="inside the other"):
            hadoop.run(PLAN, target, place, replace=True)


def test_nothing_at_an_address(hdfs, hadoop, tmp_path):
    address = f"{hdfs.address}/nowhere.parquet"
    with pytest.raises(DataError, match=rf"{address}(.|\n)*does not exist(.|\n)*nothing to read"):
        hadoop.run(PLAN, address, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []


def test_the_lines_of_a_job_travel_through_hdfs(hdfs, source, tmp_path):
    seen = []

    def look(share: float | None, doing: str) -> None:
        if doing == "Hadoop cuts" and not seen:
            seen.extend(name for name in hdfs.names() if name.endswith("cutting/lines"))

    before = hdfs.names()
    with Hadoop(configuration=hdfs.client()) as running:
        result = running.run(PLAN, source, tmp_path / "parts", progress=look)
    assert len(seen) == 1
    assert hdfs.names() - before <= HOME
    local = engine("local").run(PLAN, source, tmp_path / "local")
    assert [(part.rows, part.checksum) for part in result.parts] == [
        (part.rows, part.checksum) for part in local.parts
    ]


@pytest.mark.parametrize("who", ["name_node", "data_node"])
@pytest.mark.parametrize("when", ["looking at the table", "Hadoop cuts", READ_BACK])
def test_a_server_that_dies_in_the_middle(dying, source, tmp_path, who, when):
    killed = []
    target = f"{dying.address}/parts" if when == READ_BACK else tmp_path / "parts"

    def kill(share: float | None, doing: str) -> None:
        if doing == when and not killed:
            killed.append(time.monotonic())
            getattr(dying, who).kill()

    with (
        Hadoop(configuration=dying.client()) as running,
        pytest.raises(EngineError, match=rf"{dying.address}|127\.0\.0\.1:{dying.port}") as caught,
    ):
        running.run(PLAN, source, target, progress=kill)
    seconds = time.monotonic() - killed[0]
    print(f"{who} dies while {when}: told after {seconds:.1f} s: {caught.value}")
    assert seconds < PATIENCE_SECONDS
    assert [path.name for path in tmp_path.iterdir()] == ["hdfs"]
    if who == "data_node":
        assert "parts" not in dying.names()


@pytest.fixture(scope="module")
def seconds_of_put(hdfs, source) -> float:
    """How long a run copies its parts that nobody disturbs."""
    with child(source, f"{hdfs.address}/whole/parts") as process:
        until(process, READ_BACK)
        begun = time.monotonic()
        until(process, "done")
        return time.monotonic() - begun


@contextlib.contextmanager
def child(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process with a run of its own."""
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == words:
            return
    raise AssertionError(f"it ended before it said {words!r}")


def killed(process: subprocess.Popen[str], java_too: bool) -> None:
    """Kill a run; where its Java is not killed too, see that it goes by itself."""
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    if java_too:
        for one in descendants:
            one.kill()
    _, alive = psutil.wait_procs(descendants, timeout=30)
    assert alive == []


@pytest.mark.parametrize("draw", range(DRAWS))
def test_a_run_that_is_killed_while_it_copies(
    hdfs, hadoop, source, seconds_of_put, target, tmp_path, draw
):
    java_too, replacing = draw % 2 == 1, draw % 4 >= 2
    if replacing:
        hadoop.run(OTHER, source, target)
    with child(source, target) as process:
        until(process, READ_BACK)
        time.sleep(random.Random(draw).uniform(0, seconds_of_put))
        killed(process, java_too)
    if f"{target.removeprefix(hdfs.address)}/manifest.json"[1:] in hdfs.names():
        verification = verify(hadoop.fetch(target, tmp_path / "found"), source)
        assert verification.ok, verification
    hadoop.run(PLAN, source, target, replace=True)
    verification = verify(hadoop.fetch(target, tmp_path / "parts"), source)
    assert verification.ok, verification


@contextlib.contextmanager
def asleep(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nobody can write a block while the DataNode sleeps: whoever copies is in the middle."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def hidden(hdfs: Hdfs, target: str) -> set[str]:
    """The hidden folders beside a target."""
    return {name for name in at(hdfs, target) if name.rpartition("/")[2].startswith(".parts.")}


def wait_for_hidden(hdfs: Hdfs, target: str, count: int) -> set[str]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found := hidden(hdfs, target)) != count:
        assert time.monotonic() < deadline, found
    return found


def test_a_killed_python_lets_its_java_tidy_up(hdfs, source, target):
    with child(source, target) as process, asleep(hdfs.data_node):
        until(process, READ_BACK)
        wait_for_hidden(hdfs, target, 1)
        killed(process, java_too=False)
    assert hidden(hdfs, target) == set()


def test_what_a_killed_java_left_is_cleared_by_a_later_run(hdfs, hadoop, source, target):
    with child(source, target) as process, asleep(hdfs.data_node):
        until(process, READ_BACK)
        wait_for_hidden(hdfs, target, 1)
        killed(process, java_too=True)
    hadoop.run(PLAN, source, target)
    time.sleep(LEASE_SECONDS)
    hadoop.run(PLAN, source, target, replace=True)
    assert only_parts(hdfs, target)


def test_what_a_killed_job_left_in_hdfs_is_cleared_by_a_later_one(hdfs, source, tmp_path):
    before = hdfs.names() | HOME
    with child(source, tmp_path / "parts", hdfs.client()) as process:
        until(process, "Hadoop cuts")
        killed(process, java_too=True)
    assert any(name.endswith("cutting/lines") for name in hdfs.names())
    time.sleep(LEASE_SECONDS)
    with Hadoop(configuration=hdfs.client()) as running:
        running.run(PLAN, source, tmp_path / "parts")
    assert hdfs.names() <= before


def test_an_old_target_that_a_killed_run_had_moved_is_put_back(hdfs, hadoop, source, target):
    hadoop.run(OTHER, source, target)
    room = f"{target.rpartition('/')[0]}/.parts.{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12}"
    hdfs.shell("-mkdir", f"{room}.cutting")
    hdfs.shell("-touchz", f"{room}.cutting/lock")
    hdfs.shell("-mv", target, f"{room}.cutting/old")
    with pytest.raises(DataError, match=f"the target exists: {target}"):
        hadoop.run(PLAN, source, target)
    assert only_parts(hdfs, target)


def test_what_a_living_run_has_is_left_to_it(hdfs, hadoop, source, target, tmp_path):
    """Two runs at once, longer than a lease lasts that nobody renews: both end, the last stays."""
    patient = hdfs.client(**{"fs.defaultFS": "file:///", "dfs.client.socket-timeout": "300000"})
    with child(source, target, patient) as process:
        with asleep(hdfs.data_node):
            until(process, READ_BACK)
            first = wait_for_hidden(hdfs, target, 1)
            time.sleep(LEASE_SECONDS)
            second = threading.Thread(
                target=hadoop.run, args=(OTHER, source, target), kwargs={"replace": True}
            )
            second.start()
            assert first < wait_for_hidden(hdfs, target, 2)
        second.join()
        until(process, "done")
    result = Result.open(hadoop.fetch(target, tmp_path / "parts"))
    assert result.plan in (PLAN, OTHER)
    assert verify(result, source).ok
    assert only_parts(hdfs, target)
