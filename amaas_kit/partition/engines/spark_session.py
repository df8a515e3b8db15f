"""Spark, started, and asked for things with a limit to the waiting."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from amaas_kit.errors import AmaasError, EngineError
from amaas_kit.partition.engines.process import last_error
from amaas_kit.partition.engines.protocol import Progress
from amaas_kit.partition.engines.spark_jvm import SparkJvm
from amaas_kit.ports import HOST

Answer = TypeVar("Answer")

LOOPBACK = ("127.", "localhost:", "[::1]")

START_SECONDS = 60.0
"""So long Java may take to load Spark, and a cluster to accept us as an application."""

WORKER_SECONDS = 20.0
"""So long a cluster may be without any worker for us, at the start and in the middle."""

CANCEL_SECONDS = 10.0
"""So long a job may take to end once it is cancelled."""

END_SECONDS = 5.0
"""So long the end of a process may take to be seen, once it does not answer any more."""

POLL_SECONDS = 0.2

OUT_OF_MEMORY = 3
"""With this status Java ends when its heap is full."""

SETTINGS = {
    "spark.app.name": "amaas-kit",
    "spark.authenticate": "true",
    "spark.hadoop.fs.defaultFS": "file:///",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.parquet.block.size": str(32 << 20),
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.parquet.compression.codec": "lz4_raw",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Whole numbers that overflow are errors, names keep their case, times are those of UTC, and what
is written are plain Parquet files. A row group of 32 MB bounds the memory of each task."""

ON_LOOPBACK = {"spark.driver.host": HOST, "spark.driver.bindAddress": HOST}


class Session:
    """A session of Spark in a Java process of its own.

    Args:
        master: as Spark takes it.
        on_cluster: whether that is another process.
        memory: of Java's heap, here and in each worker.
        secret: of the cluster; None where it has none.
        java: the program.
        jars: the folder with Spark's.

    Attributes:
        jvm: the Java process.
        tracker: Spark's own account of its jobs.
        versions: of Spark and Java.

    Raises:
        EngineError: Java does not start, or the cluster does not take us.
    """

    def __init__(
        self, master: str, on_cluster: bool, memory: str, secret: str | None, java: Path, jars: Path
    ) -> None:
        self.master = master
        self.on_cluster = on_cluster
        self.memory = memory
        self._lost = False
        self._alone = not on_cluster or master.removeprefix("spark://").startswith(LOOPBACK)
        self.jvm = SparkJvm(java, jars, memory, HOST if self._alone else None)
        try:
            self._start(secret)
        except BaseException:
            self.jvm.kill()
            self.jvm.stop()
            raise

    def _start(self, secret: str | None) -> None:
        packages = self.jvm.gateway.jvm
        limit = _Limit(START_SECONDS, self._not_accepted if self.on_cluster else self._not_started)
        self._spark = self._result(lambda: _make(packages, self._settings(secret)), limit.look)
        self._context = self._spark.sparkContext()
        self._context.setLogLevel("WARN")
        self.tracker = packages.org.apache.spark.api.java.JavaSparkContext(
            self._context
        ).statusTracker()
        self.versions = {
            "spark": str(self._spark.version()),
            "java": str(packages.java.lang.System.getProperty("java.version")),
        }
        limit = _Limit(WORKER_SECONDS, self._no_worker)
        while self.on_cluster and not self._workers():
            limit.look()
            time.sleep(POLL_SECONDS)

    @property
    def usable(self) -> bool:
        """Whether it can be asked again."""
        if self._lost or not self.jvm.running:
            return False
        with contextlib.suppress(Exception):
            return not self._context.isStopped()
        return False

    def new(self) -> Any:
        """Spark's session for one run, in Java: its views are its own."""
        return self._spark.newSession()

    def stop(self) -> None:
        """End the Java process."""
        self.jvm.stop()

    def waited(self, work: Callable[[], Answer], look: Callable[[], None] | None = None) -> Answer:
        """What some work in Java gives, for which Ctrl-C and a lost cluster end the waiting.

        Args:
            work: runs in a thread.
            look: called now and then meanwhile.

        Raises:
            EngineError: Spark failed, or the cluster has no worker any more.
        """
        limit = _Limit(WORKER_SECONDS, self._workers_lost)

        def look_at_all() -> None:
            if look is not None:
                look()
            if not self.on_cluster or self._workers():
                limit.reset()
            limit.look()

        return self._result(work, look_at_all)

    def _result(self, work: Callable[[], Answer], look: Callable[[], None]) -> Answer:
        running = _Work(work)
        try:
            while not running.done.wait(POLL_SECONDS):
                look()
        except BaseException:
            self._cancel(running)
            raise
        if running.error is None:
            return cast(Answer, running.answer)
        if isinstance(running.error, AmaasError):
            raise running.error
        raise self._failed(running.error) from None

    def _cancel(self, running: _Work[Any]) -> None:
        """End the job that runs; where it does not end, the whole process."""
        with contextlib.suppress(Exception):
            self._context.cancelAllJobs()
        if self._lost or not running.done.wait(CANCEL_SECONDS):
            self._lost = True
            self.jvm.kill()
            self.jvm.stop()

    def _workers(self) -> int:
        """How many executors the cluster gives us; this process counts itself as one more."""
        with contextlib.suppress(Exception):
            return len(self.tracker.getExecutorInfos()) - 1
        return 0

    def _settings(self, secret: str | None) -> dict[str, str]:
        settings = SETTINGS | {
            "spark.master": self.master,
            "spark.local.dir": str(self.jvm.scratch),
            "spark.sql.warehouse.dir": f"file:{self.jvm.scratch.as_posix()}/warehouse",
        }
        if self._alone:
            settings |= ON_LOOPBACK
        if not self.on_cluster:
            return settings
        settings["spark.executor.memory"] = self.memory
        settings["spark.authenticate"] = "false" if secret is None else "true"
        if secret is not None:
            settings["spark.authenticate.secret"] = secret
        return settings

    def _failed(self, error: Exception) -> EngineError:
        """What Spark failed of, in one line."""
        from py4j.protocol import Py4JJavaError  # type: ignore

        if self.jvm.ended(0.0 if isinstance(error, Py4JJavaError) else END_SECONDS):
            return self._java_ended()
        return EngineError(
            situation=f"While working with Spark at {self.master}",
            seen=root_cause(_trace(error)),
            wrong="Spark gave the work up",
            fix=f"read the whole story in {self.jvm.log}",
        )

    def _java_ended(self) -> EngineError:
        status = self.jvm.status
        if status == OUT_OF_MEMORY:
            wrong, fix = f"Java's heap of {self.memory} was full", "pass a larger memory=…; "
        else:
            wrong, fix = "the process that runs Spark is gone", "run it again; "
        return EngineError(
            situation=f"While working with Spark at {self.master}",
            seen=f"Java ended with status {status}; the log says last: {last_error(self.jvm.log)}",
            wrong=wrong,
            fix=f"{fix}the log is {self.jvm.log}",
        )

    def _not_started(self) -> EngineError:
        self._lost = True
        return EngineError(
            situation=f"While starting Spark as {self.master}",
            seen=f"the log says last: {last_error(self.jvm.log)}",
            wrong=f"it was not ready after {START_SECONDS:.0f} s",
            fix=f"end what occupies this machine, and run it again; the log is {self.jvm.log}",
        )

    def _not_accepted(self) -> EngineError:
        self._lost = True
        seen = last_error(self.jvm.log)
        fix = f"look at the master's own log and ours, {self.jvm.log}"
        if "InvalidClass" in seen or "serialVersionUID" in seen:
            fix = f"use the version of pyspark that the cluster has; our log is {self.jvm.log}"
        return EngineError(
            situation=f"While connecting to the Spark cluster at {self.master}",
            seen=seen,
            wrong=f"what answers there did not take us within {START_SECONDS:.0f} s: it is no "
            "Spark master, or one of another version, or wants another secret",
            fix=fix,
        )

    def _no_worker(self) -> EngineError:
        self._lost = True
        return EngineError(
            situation=f"While connecting to the Spark cluster at {self.master}",
            seen=f"the master answers, and gave no worker within {WORKER_SECONDS:.0f} s",
            wrong=f"no worker is there, or none has a core and {self.memory} of memory left",
            fix="start a worker, end what occupies it, or pass a smaller memory=…; "
            f"our log is {self.jvm.log}",
        )

    def _workers_lost(self) -> EngineError:
        if not self.jvm.running:
            return self._java_ended()
        self._lost = True
        return EngineError(
            situation=f"While working with the Spark cluster at {self.master}",
            seen=f"no worker for {WORKER_SECONDS:.0f} s; the log says last: "
            f"{last_error(self.jvm.log)}",
            wrong="the cluster died in the middle, or took its workers away",
            fix=f"start the cluster again, and then the run; our log is {self.jvm.log}",
        )


class Stages:
    """Tells how far Spark has come, by the tasks of its stages.

    Args:
        tracker: Spark's own account.
        expected: how many stages the work has.
        progress: is told.
    """

    def __init__(self, tracker: Any, expected: int, progress: Progress) -> None:
        self._tracker = tracker
        self._expected = expected
        self._progress = progress
        self._shares: dict[int, float] = {}

    def look(self) -> None:
        """Ask Spark, and tell."""
        active = self._active()
        self._shares |= dict.fromkeys(self._shares.keys() - active.keys(), 1.0)
        self._shares |= {stage: done / tasks for stage, (done, tasks) in active.items()}
        done, tasks = (sum(counts[i] for counts in active.values()) for i in range(2))
        share = min(1.0, sum(self._shares.values()) / self._expected)
        self._progress(share, f"{done} of {tasks} tasks of Spark")

    def _active(self) -> dict[int, tuple[int, int]]:
        """Of each stage that runs, how many tasks are done and how many there are."""
        found = {}
        with contextlib.suppress(Exception):  # who waits names a process that is gone
            for stage in self._tracker.getActiveStageIds():
                info = self._tracker.getStageInfo(stage)
                if info is not None and info.numTasks():
                    found[stage] = (info.numCompletedTasks(), info.numTasks())
        return found


class _Work(Generic[Answer]):
    """Something that runs in a thread of its own."""

    def __init__(self, work: Callable[[], Answer]) -> None:
        self.done = threading.Event()
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self._work = work
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self.answer = self._work()
        except Exception as error:
            self.error = error
        finally:
            self.done.set()


class _Limit:
    """Raises an error when its time is over."""

    def __init__(self, seconds: float, error: Callable[[], EngineError]) -> None:
        self._seconds = seconds
        self._error = error
        self.reset()

    def reset(self) -> None:
        self._end = time.monotonic() + self._seconds

    def look(self) -> None:
        if time.monotonic() > self._end:
            raise self._error()


def _make(packages: Any, settings: dict[str, str]) -> Any:
    builder = packages.org.apache.spark.sql.SparkSession.builder()
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _trace(error: Exception) -> str:
    """What Java tells of an error, which is asked of Java only now."""
    try:
        return str(error)
    except Exception as unable:
        return f"{type(error).__name__}, and {type(unable).__name__} when Java was asked for more"


def root_cause(trace: str) -> str:
    """The innermost cause that a stack trace of Java names, in one line."""
    causes = re.findall(r"^\s*Caused by: (.+)$", trace, re.MULTILINE)
    lost = re.findall(r"\(TID \d+\) \([^)]*\): (.+)$", trace, re.MULTILINE)
    lines = [line for line in trace.splitlines() if line.startswith(": ")]
    told = (causes or lost or lines or trace.splitlines() or ["nothing"])[-1]
    return str(told).removeprefix(": ").strip()[:500]
