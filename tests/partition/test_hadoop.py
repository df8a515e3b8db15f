"""What is Hadoop's own: its settings, its process, its cluster's files, addresses in HDFS."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from amaas_kit.errors import DataError, EngineError, MissingError
from amaas_kit.partition import Engine, Plan, engine, verify
from tests.partition.every_plan import hard_table

PLAN = Plan.hash("user", 4)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("source") / "table.parquet"
    hard_table(2_000, seed=8).write_parquet(file)
    return file


@pytest.fixture
def hadoop():
    with engine("hadoop", memory="512m") as running:
        if not (state := running.available()):
            pytest.skip(f"{state.reason}; {state.command}")
        yield running


@pytest.fixture
def nobodys_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def java_processes() -> list[psutil.Process]:
    """Those that run; one that has ended stays a child until its owner asks how."""
    running = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in running if "amaas.hadoop.Main" in one.cmdline()]


def test_one_process_serves_several_runs_and_ends_with_stop(hadoop, source, tmp_path):
    hadoop.run(PLAN, source, tmp_path / "one")
    (process,) = java_processes()
    told = []
    result = hadoop.run(PLAN, source, tmp_path / "two", progress=lambda *what: told.append(what))
    assert java_processes() == [process]
    assert verify(result).ok
    assert {doing for _, doing in told} >= {"Hadoop cuts", "writing the parts as Parquet"}
    assert any(share == 1.0 for share, doing in told if doing == "Hadoop cuts")
    hadoop.stop()
    assert not process.is_running()
    assert java_processes() == []


def test_threads_with_one_engine_take_turns(hadoop, source, tmp_path):
    plans = {"two": Plan.hash("user", 2), "five": Plan.hash("user", 5), "dealt": PLAN}
    with ThreadPoolExecutor(len(plans)) as threads:
        runs = {
            name: threads.submit(hadoop.run, plan, source, tmp_path / name)
            for name, plan in plans.items()
        }
    for name, plan in plans.items():
        assert runs[name].result().plan == plan
        assert verify(runs[name].result(), source).ok
    assert len(java_processes()) == 1


def test_the_manifest_says_which_hadoop_and_what_was_converted(hadoop, source, tmp_path):
    result = hadoop.run(PLAN, source, tmp_path / "parts")
    assert result.versions["hadoop"].count(".") == 2
    assert int(result.versions["java"].split(".")[0]) >= 17
    (note,) = result.notes
    assert "Parquet was written as" in note


def test_java_that_dies_in_the_middle_is_named_and_leaves_nothing(hadoop, source, tmp_path):
    def kill(share: float | None, doing: str) -> None:
        if doing == "Hadoop cuts":
            for process in java_processes():
                process.kill()

    with pytest.raises(EngineError, match=r"ended with status(.|\n)*logs"):
        hadoop.run(PLAN, source, tmp_path / "parts", progress=kill)
    assert list(tmp_path.iterdir()) == []
    assert verify(hadoop.run(PLAN, source, tmp_path / "parts")).ok


ODD = "we ird %41 #x'y:é [1] {a,b} *? ${user.home} \\i \n ="
"""A folder's name with what Hadoop takes for patterns, lists, variables and addresses."""


def test_folders_with_any_name(hadoop, source, tmp_path):
    (tmp_path / ODD).mkdir()
    table = tmp_path / ODD / source.name
    table.write_bytes(source.read_bytes())
    verification = verify(hadoop.run(PLAN, table, tmp_path / ODD / "parts"), table)
    assert verification.ok, verification
    assert {path.name for path in tmp_path.iterdir()} == {ODD}
    assert {path.name for path in (tmp_path / ODD).iterdir()} == {source.name, "parts"}


def test_too_little_memory_is_named(source, tmp_path):
    with (
        engine("hadoop", memory="48m") as hadoop,
        pytest.raises(EngineError, match=r"OutOfMemoryError(.|\n)*memory=\"2g\""),
    ):
        hadoop.run(PLAN, source, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_ends_its_process(hadoop, source, tmp_path):
    def interrupt(share: float | None, doing: str) -> None:
        if doing == "Hadoop cuts":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hadoop.run(PLAN, source, tmp_path / "parts", progress=interrupt)
    assert java_processes() == []
    assert list(tmp_path.iterdir()) == []


def test_a_table_in_hdfs_where_nobody_answers(hadoop, tmp_path, nobodys_port):
    address = f"hdfs://127.0.0.1:{nobodys_port}/table.parquet"
    with pytest.raises(EngineError) as caught:
        hadoop.run(PLAN, address, tmp_path / "parts")
    assert address in str(caught.value)
    assert "whether the cluster runs" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_target_in_hdfs_where_nobody_answers(hadoop, source, nobodys_port):
    address = f"hdfs://127.0.0.1:{nobodys_port}/parts"
    with pytest.raises(EngineError) as caught:
        hadoop.run(PLAN, source, address)
    assert address in str(caught.value)


def site(folder: Path, file_system: str) -> Path:
    """The configuration of a cluster that compresses whatever a job writes."""
    codec = "org.apache.hadoop.io.compress.BZip2Codec"
    write_settings(folder / "core-site.xml", {"fs.defaultFS": file_system})
    compressed = "mapreduce.output.fileoutputformat.compress"
    write_settings(folder / "mapred-site.xml", {compressed: "true", f"{compressed}.codec": codec})
    return folder


def write_settings(file: Path, settings: dict[str, str]) -> None:
    file.parent.mkdir(exist_ok=True)
    properties = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>"
        for name, value in settings.items()
    )
    file.write_text(f"<configuration>{properties}</configuration>")


def test_a_cluster_is_read_from_its_configuration_files(source, tmp_path, nobodys_port):
    here = site(tmp_path / "here", "file:///")
    there = site(tmp_path / "there", f"hdfs://127.0.0.1:{nobodys_port}")
    with engine("hadoop", configuration=here) as running:
        assert verify(running.run(PLAN, source, tmp_path / "parts")).ok
    with (
        engine("hadoop", configuration=there) as running,
        pytest.raises(EngineError, match=str(nobodys_port)),
    ):
        running.run(PLAN, source, tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"memory": "much"}, "memory='much'"),
        ({"memory": 1}, "memory=1"),
        ({"reducers": 0}, "reducers=0"),
        ({"configuration": "/nowhere"}, "no folder /nowhere"),
        ({"configuration": Path(__file__).parent}, r"no file \*-site\.xml in .*partition"),
        ({"master": "x"}, "master='x'"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    with pytest.raises(EngineError, match=words):
        engine("hadoop", **settings)


@pytest.mark.parametrize("wrong", [{"memory": "much"}, {"reducers": 0}, {"configuration": "/no"}])
def test_the_advice_is_on_the_setting_that_is_wrong(wrong):
    with pytest.raises(EngineError) as caught:
        engine("hadoop", **wrong)
    words = {"memory": "memory=", "reducers": "reducers=", "configuration": "/etc/hadoop/conf"}
    assert {name: word in caught.value.fix for name, word in words.items()} == {
        name: name in wrong for name in words
    }


def java_that_says(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return folder


ENGINES = ("spark", "flink", "hadoop")


@pytest.mark.parametrize("name", ENGINES)
def test_without_java_an_engine_says_so_and_what_to_do(name, source, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    refuses(engine(name), source, tmp_path / "parts", f"JAVA_HOME={tmp_path / 'none'}")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("version", "seen"), [("1.8.0_402", "Java 8"), ("11.0.22", "Java 11")])
def test_a_java_that_is_too_old(name, version, seen, source, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path / "old", version)))
    refuses(engine(name), source, tmp_path / "parts", seen)


def test_hadoop_needs_the_compiler_too(source, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path / "jre", "17.0.1")))
    refuses(engine("hadoop"), source, tmp_path / "parts", "javac")


def refuses(running: Engine, source: Path, target: Path, words: str) -> None:
    state = running.available()
    assert not state
    assert words in state.reason
    assert state.command
    with pytest.raises(MissingError) as caught:
        running.run(PLAN, source, target)
    assert words in str(caught.value)
    assert state.command in str(caught.value)
    assert not target.exists()


def test_a_partition_in_a_folder_that_holds_its_source_is_refused(hadoop, source):
    with pytest.raises(DataError, match="inside the other"):
        hadoop.run(PLAN, source.parent, source.parent / "parts")
