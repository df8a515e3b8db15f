"""The engine that drives Apache Flink: a small cluster of its own, or one that is there."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

from amaas_kit import ports
from amaas_kit.errors import EngineError
from amaas_kit.partition.cut import Cut
from amaas_kit.partition.engines import java, lines
from amaas_kit.partition.engines.flink_cluster import Cluster
from amaas_kit.partition.engines.flink_gateway import (
    flink_folder,
    flink_gateway,
    flink_version,
    py4j_jar,
)
from amaas_kit.partition.engines.flink_job import HEARTBEAT_SECONDS, Job
from amaas_kit.partition.engines.flink_sql import bounds_functions, flink_sql, script
from amaas_kit.partition.engines.gateway import Gateway
from amaas_kit.partition.engines.process import check_heap
from amaas_kit.partition.engines.protocol import Availability, Engine, Progress
from amaas_kit.partition.part_files import FOLDER
from amaas_kit.this_python import pip_install

__all__ = ["Flink", "flink_sql"]

EXTRA = "amaas-kit[flink]"

SHARES = 4
"""So many files of lines each task gets: a file is read by one task, and tasks are not alike."""

CHUNK_BYTES = 1 << 20


class Flink(Engine):
    """Apache Flink, which gets the rows as lines and the plan as SQL; see `flink_sql`.

    Args:
        address: the REST address of a cluster, such as "http://127.0.0.1:8081"; left out, a small
            cluster runs in a Java process of the kit's own while a table is cut. The tasks of a
            cluster read and write beside the target, so the target must lie on a path that all its
            machines see.
        parallelism: how many tasks work at a time.
        memory: of the heap of the kit's Java process, such as "1g"; Flink takes about 0.3 GB
            beside it.

    Raises:
        EngineError: a setting makes no sense.

    Taught in: notebooks/06_distributed_engines.
    """

    name = "flink"

    def __init__(
        self, address: str | None = None, parallelism: int = 2, memory: str = "1g"
    ) -> None:
        _check_parallelism(parallelism)
        check_heap(self.name, memory)
        self.cluster = None if address is None else Cluster.at(address)
        self.parallelism = parallelism
        self.memory = memory
        self._gateway: Gateway | None = None
        self._lock = threading.Lock()

    def available(self) -> Availability:
        """Whether Flink's jars, py4j and Java are here. A cluster is not asked."""
        found = {"apache-flink-libraries": flink_folder(), "py4j": py4j_jar()}
        for package, place in found.items():
            if not place:
                return Availability(False, f"the package {package} is missing", pip_install(EXTRA))
        return java.available(compiler=True)

    def stop(self) -> None:
        """End the Java process of the kit. A cluster that was there stays."""
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            gateway.stop()

    def _check_ready(self) -> None:
        super()._check_ready()
        if self.cluster is not None:
            self.cluster.check(flink_version(_jars()))

    def _cut(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        with self._lock:  # two jobs in one Java would end with the first that fails
            return self._cut_alone(cut, folder, scratch, progress)

    def _cut_alone(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        note = lines.write(cut, scratch / "all.lines", progress)
        split(scratch / "all.lines", scratch / "lines", SHARES * self.parallelism)
        progress(None, "starting Flink")
        files = scratch / "flink"
        files.mkdir()
        port = ports.claim(0)
        statements = script(cut, str(scratch / "lines"), str(scratch / "parts"))
        Job(
            gateway=self._started(),
            cluster=self.cluster or Cluster(ports.HOST, port),
            own=self.cluster is None,
            settings=self._settings(port, files),
            script=statements,
            bounds=bounds_functions(cut),
            rows_read=_Reading(cut.table.rows, progress),
        ).run()
        found = {
            int(part.name.removeprefix(FOLDER)): sorted(part.iterdir())
            for sink in statements.sinks
            for part in Path(sink).glob(f"{FOLDER}*")
        }
        if not found:
            raise self._wrote_elsewhere(scratch)
        lines.read(cut, found, folder, progress)
        return [note]

    def _wrote_elsewhere(self, scratch: Path) -> EngineError:
        return EngineError(
            situation=f"While reading what Flink wrote at {scratch}",
            seen="no part there, and no failure told",
            wrong=f"the machines of {self.cluster} have other files under this path",
            fix="pass a target on a file system that all machines of the cluster share",
        )

    def _started(self) -> Gateway:
        if self._gateway is None or not self._gateway.running:
            jars = [_jars() / "*", _kit_jar()]
            self._gateway = flink_gateway(java.find(), jars, self.memory)
        return self._gateway

    def _settings(self, port: int, scratch: Path) -> dict[str, str]:
        """What Flink is told; a port for the small cluster, and a folder for its files."""
        settings = {
            "execution.runtime-mode": "BATCH",
            "execution.batch.adaptive.auto-parallelism.enabled": "false",
            "parallelism.default": str(self.parallelism),
            "restart-strategy.type": "none",
        }
        if self.cluster is None:
            return {**settings, **_own_cluster(port, scratch)}
        return {**settings, **_other_cluster(self.cluster, _kit_jar())}

    def _versions(self) -> dict[str, str]:
        return {"flink": flink_version(_jars()), "java": java.version()}


def _jars() -> Path:
    return cast(Path, flink_folder())


def split(file: Path, folder: Path, pieces: int) -> None:
    """Move the lines of a file into files of a folder, all of about one size."""
    folder.mkdir()
    size = file.stat().st_size
    with file.open("rb") as source:
        for piece in range(1, pieces + 1):
            with (folder / f"{piece:04}").open("wb") as target:
                while (left := size * piece // pieces - source.tell()) > 0:
                    target.write(source.read(min(left, CHUNK_BYTES)))
                target.write(source.readline())
    file.unlink()


def _kit_jar() -> Path:
    return java.kit_jar("flink", [_jars() / "*"])


class _Reading:
    """Tells what Flink has read of a table: first the rows are read, then sorted and written."""

    def __init__(self, rows: int, progress: Progress) -> None:
        self.rows = rows
        self.progress = progress

    def __call__(self, read: int | None) -> None:
        if read is not None and read >= self.rows:
            self.progress(None, "Flink writes the parts")
        else:
            share = None if read is None else read / self.rows
            self.progress(share, "Flink reads the rows")


def _own_cluster(port: int, scratch: Path) -> dict[str, str]:
    """A cluster in the process that submits the job, which nobody outside this machine reaches."""
    hosts = ("rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host")
    names = ("rest.address", "jobmanager.rpc.address", "taskmanager.host")
    return {
        "execution.target": "local",
        "rest.port": str(port),
        "rest.bind-port": str(port),
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        "metrics.fetcher.update-interval": "500",
        **dict.fromkeys((*hosts, *names), ports.HOST),
        **dict.fromkeys(("io.tmp.dirs", "web.tmpdir", "web.upload.dir"), str(scratch)),
    }


def _other_cluster(cluster: Cluster, jar: Path) -> dict[str, str]:
    """A cluster that is there, which ends the job when it hears nothing of us any more."""
    return {
        "execution.target": "remote",
        "rest.address": cluster.host,
        "rest.port": str(cluster.port),
        "rest.retry.max-attempts": "3",
        "rest.retry.delay": "1 s",
        "pipeline.jars": jar.as_uri(),
        "execution.attached": "true",
        "execution.shutdown-on-attached-exit": "true",
        "client.heartbeat.timeout": f"{HEARTBEAT_SECONDS} s",
    }


def _check_parallelism(parallelism: object) -> None:
    if not isinstance(parallelism, int) or isinstance(parallelism, bool) or parallelism < 1:
        raise EngineError(
            situation="While choosing the engine 'flink'",
            seen=f"parallelism={parallelism!r}",
            wrong="it is the number of tasks that work at a time",
            fix="pass a whole number from 1, such as the number of cores",
        )
