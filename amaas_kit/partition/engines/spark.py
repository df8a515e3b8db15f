"""The engine that drives Apache Spark: in a Java process of its own, or on a cluster."""

from __future__ import annotations

import importlib.util
import re
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from amaas_kit.errors import EngineError
from amaas_kit.partition.cut import PART, Cut
from amaas_kit.partition.engines import java
from amaas_kit.partition.engines.process import check_heap
from amaas_kit.partition.engines.protocol import Availability, Engine, Progress
from amaas_kit.partition.engines.spark_jvm import spark_jars
from amaas_kit.partition.engines.spark_rows import prepare, spark_path, turn_back
from amaas_kit.partition.engines.spark_session import Session, Stages
from amaas_kit.partition.engines.spark_sql import selects, spark_sql
from amaas_kit.partition.source import reading
from amaas_kit.this_python import pip_install

__all__ = ["Spark", "spark_sql"]

EXTRA = "amaas-kit[spark]"

LOCAL = re.compile(r"local(\[(\*|[1-9]\d*)\])?")
CLUSTER = re.compile(r"spark://(?P<host>[^:/\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
LEAST_MEGABYTES = 512
"""Spark itself refuses a heap that is a little smaller."""

CONNECT_SECONDS = 5.0
"""So long the address of a cluster may take to answer at all."""


class Spark(Engine):
    """Apache Spark, which gets the plan as SQL (see `spark_sql`).

    It starts with the first run and is kept for the next ones, in a Java process of its own beside
    any session of pyspark that this Python has.

    Args:
        master: "local[*]" for all cores of this machine, "local[2]" for two, or a cluster's address
            such as "spark://127.0.0.1:7077". Its workers read the source and write the target, so
            both must lie on a path that all its machines see.
        memory: of Java's heap in this machine's process, and in each worker's, such as "1g".
        secret: of a cluster whose machines authenticate each other (`spark.authenticate.secret`);
            left out for one that lets everyone in.

    Raises:
        EngineError: a setting makes no sense.

    Taught in: notebooks/06_distributed_engines.
    """

    name = "spark"

    def __init__(
        self, master: str = "local[*]", memory: str = "1g", secret: str | None = None
    ) -> None:
        _check_master(master)
        check_heap(self.name, memory, LEAST_MEGABYTES)
        self.master = master
        self.memory = memory
        self._secret = secret
        self._session: Session | None = None
        self._versions_used: dict[str, str] = {}
        self._lock = threading.RLock()

    def available(self) -> Availability:
        """Whether Spark's jars, py4j and Java are here. A cluster is not asked."""
        found = {"pyspark": spark_jars(), "py4j": importlib.util.find_spec("py4j")}
        for package, place in found.items():
            if place is None:
                reason = f"the package {package} is not installed"
                return Availability(False, reason, pip_install(EXTRA))
        return java.available()

    def stop(self) -> None:
        """End the Java process. A cluster that was there stays."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                session.stop()

    def _check_ready(self) -> None:
        super()._check_ready()
        if self._session is None and not LOCAL.fullmatch(self.master):
            _check_answers(self.master)

    def _cut(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        with self._lock:
            session = self._started(progress)
            try:
                return _cut_with(session, cut, folder, scratch, progress)
            except Exception:
                self.stop()  # on a full disk, Java would hold what it wrote until it ends
                raise

    def _started(self, progress: Progress) -> Session:
        if self._session is not None and not self._session.usable:
            self.stop()
        if self._session is None:
            progress(None, "starting Spark")
            jars = spark_jars()
            assert jars is not None  # the engine was asked whether it is available
            on_cluster = not LOCAL.fullmatch(self.master)
            self._session = Session(
                self.master, on_cluster, self.memory, self._secret, java.find(), jars
            )
            self._versions_used = self._session.versions
        return self._session

    def _versions(self) -> dict[str, str]:
        return self._versions_used


def _cut_with(
    session: Session, cut: Cut, folder: Path, scratch: Path, progress: Progress
) -> list[str]:
    """Let Spark write the parts; see `Engine._cut`."""
    progress(None, "giving Spark the table")
    spark, gateway = session.new(), session.jvm.gateway
    changes = session.waited(lambda: prepare(cut, spark, gateway, scratch))
    queries = selects(cut)
    stages = Stages(session.tracker, len(queries) * (2 if cut.steps else 1), progress)
    try:
        for query in queries:
            session.waited(partial(_write, spark, gateway, query, folder), stages.look)
    except EngineError:
        _look_for_damage(cut)
        raise
    for file in folder.rglob(".*.crc"):
        file.unlink()
    if not changes.columns:
        return list(changes.notes)
    progress(None, "giving the parts their types")
    return [*changes.notes, turn_back(folder, cut.table.schema, changes.columns)]


def _write(spark: Any, gateway: Any, query: str, folder: Path) -> None:
    part = gateway.new_array(gateway.jvm.java.lang.String, 1)
    part[0] = PART
    rows = spark.sql(query).write().mode("append").partitionBy(part)
    rows.parquet(spark_path(folder))


def _look_for_damage(cut: Cut) -> None:
    """Name a file of the table that nobody can read, rather than what Spark says of it."""
    with reading(cut.table.files):
        cut.table.scan().select(pl.all().null_count()).collect(engine="streaming")


def _check_master(master: Any) -> None:
    if not isinstance(master, str) or not (LOCAL.fullmatch(master) or CLUSTER.fullmatch(master)):
        raise EngineError(
            situation="While choosing the engine 'spark'",
            seen=f"master={master!r}",
            wrong="Spark runs in this machine's process, or on a standalone cluster",
            fix='pass "local[*]", "local[2]", or an address such as "spark://127.0.0.1:7077"',
        )


def _check_answers(master: str) -> None:
    """Raise where nobody listens at the address of a cluster; Spark itself would try on and on."""
    found = CLUSTER.fullmatch(master)
    assert found is not None  # the settings were checked
    try:
        address = (found["host"].strip("[]"), int(found["port"]))
        socket.create_connection(address, CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise EngineError(
            situation=f"While connecting to the Spark cluster at {master}",
            seen=str(error),
            wrong="nobody answers at this address",
            fix="start the cluster, look at the address on its master's page, "
            'or leave the master out for "local[*]"',
        ) from None
