"""Hadoop as an engine: a MapReduce job, in a process of its own or on a cluster."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import posixpath
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from amaas_kit.errors import AmaasError, DataError, EngineError
from amaas_kit.partition.cut import Cut
from amaas_kit.partition.engines import java, lines
from amaas_kit.partition.engines.process import JavaProcess, check_heap, last_error
from amaas_kit.partition.engines.protocol import (
    Availability,
    Engine,
    PathLike,
    Progress,
    check_apart,
    check_arguments,
    tell_nobody,
)
from amaas_kit.partition.engines.spark import EXTRA
from amaas_kit.partition.engines.spark_jvm import spark_jars
from amaas_kit.partition.manifest import KIND
from amaas_kit.partition.part_files import FOLDER
from amaas_kit.partition.plan import Plan, Range, RowStep, Window
from amaas_kit.partition.result import Result
from amaas_kit.partition.source import Table
from amaas_kit.this_python import pip_install

MAIN = "amaas.hadoop.Main"

IN_HDFS = re.compile(r"hdfs://[^/]*/")

SAYS = b"amaas "
"""So begin the lines that are for the kit; all others are for the log."""

OWN = {
    "mapreduce.framework.name": "local",
    "fs.defaultFS": "file:///",
    "mapreduce.local.map.tasks.maximum": "2",
    "mapreduce.local.reduce.tasks.maximum": "2",
    "mapreduce.task.io.sort.mb": "64",
    "mapreduce.reduce.shuffle.input.buffer.percent": "0.2",
}
"""A job without a cluster: both halves run in one process, and files are those of this machine.

Its tasks share one heap. Hadoop would let each reducer fill seven tenths of it.
"""

PLAIN = re.compile(r"[\w./-]+", re.ASCII)
"""Paths in which Hadoop sees no pattern, list, variable or address."""

PATIENCE = {
    "ipc.client.connect.timeout": "5000",
    "ipc.client.connect.max.retries": "2",
    "ipc.client.connect.max.retries.on.timeouts": "2",
    "ipc.ping.interval": "10000",
    "ipc.client.rpc-timeout.ms": "20000",
    "dfs.client.retry.policy.enabled": "false",
    "dfs.client.failover.max.attempts": "3",
    "yarn.resourcemanager.connect.max-wait.ms": "20000",
    "yarn.resourcemanager.connect.retry-interval.ms": "5000",
}
"""So long is a cluster waited for that does not answer; Hadoop itself waits a quarter hour."""


class Hadoop(Engine):
    """MapReduce, with Hadoop's client as pyspark carries it.

    The table travels as lines of text, which the kit writes and reads. Source and target may also
    lie in HDFS, as `hdfs://host:port/path`, or as `hdfs:///path` where the configuration names the
    cluster: a table is fetched from there, and a target appears there whole or not at all.
    The result of a target in HDFS is a copy that lives until `stop`.

    Args:
        configuration: the folder with a cluster's core-site.xml, hdfs-site.xml, mapred-site.xml
            and yarn-site.xml; left out, the job runs here in one process.
        memory: of the Java heap.
        reducers: how many of them write parts side by side.

    Raises:
        EngineError: a setting makes no sense.

    Taught in: notebooks/06_distributed_engines.
    """

    name = "hadoop"

    def __init__(
        self, configuration: PathLike | None = None, memory: str = "1g", reducers: int = 2
    ) -> None:
        self.configuration = None if configuration is None else Path(configuration)
        self.memory = memory
        self.reducers = reducers
        self._copies: list[Path] = []
        self._process: JavaProcess | None = None
        self._lock = threading.Lock()
        self._check_settings()

    def available(self) -> Availability:
        """Whether Hadoop's jars and Java with its compiler are here. A cluster is not asked."""
        if sys.platform == "win32":
            reason = "on Windows, Hadoop needs programs of its own that no package brings"
            return Availability(False, reason, "run it in the Windows Subsystem for Linux")
        if spark_jars() is None:
            return Availability(False, "the package pyspark is not installed", pip_install(EXTRA))
        return java.available(compiler=True)

    def run(
        self,
        plan: Plan,
        source: PathLike,
        target: PathLike,
        *,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> Result:
        """As `Engine.run`; source and target may be addresses in HDFS too."""
        check_arguments(plan, source, target)
        if not in_hdfs(source) and not in_hdfs(target):
            return super().run(plan, source, target, replace=replace, progress=progress)
        self._check_ready()
        if in_hdfs(source) and in_hdfs(target):
            check_apart(source, target, lambda address: posixpath.normpath(os.fspath(address)))
        tell = progress or tell_nobody
        tell(None, "looking at the table")
        with self._table(source) as table:
            if not in_hdfs(target):
                return self._write(plan, table, target, replace, tell)
            where = f"While writing parts to {os.fspath(target)}"
            place = [os.fspath(target), str(replace).lower(), KIND]
            self._ask(where, ["check", *place], None)
            copy = Path(tempfile.mkdtemp(prefix="amaas-hadoop-"))
            self._copies.append(copy)
            result = self._write(plan, table, copy / "parts", False, tell)
            self._ask(where, ["put", *place, str(copy / "parts")], None)
            return result

    def fetch(self, address: str, target: PathLike) -> Path:
        """Copy a file or a folder out of HDFS.

        Args:
            address: `hdfs://host:port/path`.
            target: a path that does not exist yet.

        Raises:
            DataError: there is nothing at the address.
            EngineError: nobody answers.
        """
        self._ask(f"While reading {address}", ["get", address, str(target)], None)
        return Path(target)

    def stop(self) -> None:
        """End the Java process, and remove the copies of targets in HDFS."""
        self._end()
        for copy in self._copies:
            shutil.rmtree(copy, ignore_errors=True)
        self._copies.clear()

    @contextlib.contextmanager
    def _table(self, source: PathLike) -> Iterator[Table]:
        """A table, fetched where it lies in HDFS. Errors name its address, and not the copy."""
        if not in_hdfs(source):
            yield Table.open(source)
            return
        address = os.fspath(source)
        with tempfile.TemporaryDirectory(prefix="amaas-hadoop-") as room:
            copy = Path(room) / PurePosixPath(address).name
            self.fetch(address, copy)
            try:
                yield dataclasses.replace(Table.open(copy), address=address)
            except AmaasError as error:
                raise error.reworded(lambda text: text.replace(str(copy), address)) from None

    def _cut(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        note = lines.write(cut, scratch / "lines", progress)
        settings = {
            "amaas.steps": _in_base_64("\n".join(step_words(cut))),
            "amaas.groups": _in_base_64("\n".join(_group_words(cut))),
        }
        progress(None, "starting Hadoop")
        with _plain_path(scratch) as seen:
            settings["hadoop.tmp.dir"] = str(seen / "hadoop")
            command = ["cut", str(seen / "lines"), str(seen / "parts"), str(self.reducers)]
            self._ask(f"While cutting {cut.table.path} with Hadoop", command, progress, settings)
        (scratch / "lines").unlink()
        found = {
            part: sorted((scratch / "parts" / f"{FOLDER}{part}").glob("lines-*"))
            for part in range(cut.parts)
        }
        lines.read(cut, found, folder, progress)
        return [note]

    def _versions(self) -> dict[str, str]:
        return {"hadoop": hadoop_version(), "java": java.version()}

    def _check_settings(self) -> None:
        check_heap(self.name, self.memory)
        folder = self.configuration
        if not isinstance(self.reducers, int) or self.reducers < 1:
            seen = f"reducers={self.reducers!r}"
            wrong = "it is the number of reducers that write parts side by side"
            fix = "pass a whole number from 1, for example reducers=2"
        elif folder is not None and not any(folder.glob("*-site.xml")):
            seen = f"no file *-site.xml in {folder}" if folder.is_dir() else f"no folder {folder}"
            wrong = "files such as core-site.xml say where a cluster is"
            fix = "name the folder that holds them, often /etc/hadoop/conf, or leave it out"
        else:
            return
        raise EngineError("While choosing the engine 'hadoop'", seen, wrong, fix)

    def _ask(
        self,
        situation: str,
        command: Sequence[str],
        progress: Progress | None,
        settings: dict[str, str] | None = None,
    ) -> None:
        """Run one command of the kit's Java, and hear what it says; one at a time."""
        own = OWN if self.configuration is None else {}
        chosen = {**PATIENCE, **own, **(settings or {})}
        options = [part for name, value in chosen.items() for part in ("-D", f"{name}={value}")]
        with self._lock:
            process = self._started()
            try:
                problem = _answer(process, [*options, *command], progress)
            except BaseException:
                self._end()
                raise
            if problem is None:
                problem = f"Java ended with status {process.wait()}: {last_error(process.log)}"
            elif "the job failed" in problem:
                problem = last_error(process.log) + problem.partition("the job failed")[2]
            if problem:
                self._end()
                there = self.configuration is not None or any(map(in_hdfs, command))
                raise _failure(situation, problem, there, process.log)

    def _started(self) -> JavaProcess:
        if self._process is None or not self._process.running:
            self._process = JavaProcess("hadoop", self._java())
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _java(self) -> list[str]:
        jars = [spark_jars() or Path(), java.kit_jar("hadoop", [(spark_jars() or Path()) / "*"])]
        path = [str(self.configuration)] if self.configuration else []
        path += [str(jars[0] / "*"), str(jars[1])]
        return [
            str(java.find()),
            f"-Xmx{self.memory}",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.apache.logging.log4j.level=WARN",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-cp",
            os.pathsep.join(path),
            MAIN,
        ]


def _answer(process: JavaProcess, words: Sequence[str], progress: Progress | None) -> str | None:
    """Give Java a command, and hear what it says until it is done.

    Returns:
        What went wrong: empty where nothing did, None where Java ended before it said.
    """
    command = b" ".join(base64.b64encode(word.encode()) for word in words)
    with contextlib.suppress(OSError):
        process.tell(command + b"\n")
    with process.log.open("ab", buffering=0) as log:
        for line in process.output:
            kind, _, rest = line.removeprefix(SAYS).decode(errors="replace").strip().partition(" ")
            if not line.startswith(SAYS):
                log.write(line)
            elif kind == "progress" and progress is not None:
                progress(float(rest), "Hadoop cuts")
            elif kind in ("done", "error"):
                return rest
    return None


@contextlib.contextmanager
def _plain_path(folder: Path) -> Iterator[Path]:
    """A path to a folder that Hadoop takes as it is written."""
    if PLAIN.fullmatch(str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="amaas-hadoop-") as room:
        link = Path(room) / "scratch"
        link.symlink_to(folder, target_is_directory=True)
        yield link


def in_hdfs(path: PathLike) -> bool:
    """Whether a path is an address in HDFS."""
    return bool(IN_HDFS.match(os.fspath(path)))


def hadoop_version() -> str:
    """The version of the Hadoop client among pyspark's jars, such as 3.5.0."""
    jars = spark_jars()
    found = sorted(jars.glob("hadoop-client-api-*.jar")) if jars else []
    return found[0].stem.rpartition("-")[2] if found else "unknown"


def step_words(cut: Cut) -> list[str]:
    """The steps that cut rows, as `Step.java` reads them: kind, key, parts, nulls, constants."""
    return [
        " ".join(
            [step.kind, kind, str(step.parts), str(getattr(step, "nulls", 0)), *_constants(step)]
        )
        for step, kind in zip(cut.steps, cut.kinds, strict=True)
    ]


def _constants(step: RowStep) -> list[str]:
    if isinstance(step, Range):
        return [
            ",".join(
                _in_base_64(bound) if isinstance(bound, str) else repr(bound)
                for bound in step.bounds
            )
        ]
    if isinstance(step, Window):
        return [str(step.start), str(step.width)]
    return []


def _group_words(cut: Cut) -> list[str]:
    """Of each group the places of its columns in a line, in the table's order."""
    return [
        ",".join(str(place) for place, name in enumerate(cut.table.schema) if name in group)
        for group in cut.groups
    ]


def _in_base_64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _failure(situation: str, problem: str, there: bool, log: Path) -> EngineError | DataError:
    if "the target exists" in problem:
        return DataError(
            situation,
            problem.partition(": ")[2],
            "what is there would be lost",
            "pass another target, or replace=True (--force) where it is a partition of the kit",
        )
    if "FileNotFoundException" in problem and "does not exist" in problem:
        return DataError(
            situation,
            problem.partition(": ")[2],
            "there is nothing to read",
            "look at the address: `hdfs dfs -ls` shows what is there",
        )
    fix = "look whether the cluster runs and its address is right" if there else "read the log"
    if "OutOfMemoryError" in problem:
        fix = 'give Java more memory, for example memory="2g"'
    return EngineError(
        situation=situation,
        seen=problem,
        wrong=f"Hadoop could not do it; its log is {log}",
        fix=f"{fix}, then run it again",
    )
