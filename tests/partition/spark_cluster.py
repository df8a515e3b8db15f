"""A real cluster of Spark on this machine: a master and workers, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from amaas_kit import ports

READY_SECONDS = 60
PACKAGE = "org.apache.spark.deploy"


@dataclass
class Cluster:
    """What runs, and how to end it the hard way."""

    address: str
    secret: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def spark_cluster(folder: Path, workers: int, memory: str = "512m") -> Iterator[Cluster]:
    """A cluster whose members know each other by a secret.

    Args:
        folder: for logs and work.
        workers: how many, each with one core.
        memory: of each.
    """
    port = ports.claim(0)
    cluster = Cluster(f"spark://{ports.HOST}:{port}", secrets.token_hex(16))
    settings = folder / "spark.conf"
    settings.write_text(
        "spark.authenticate true\nspark.master.rest.enabled false\n"
        f"spark.authenticate.secret {cluster.secret}\n"
    )
    settings.chmod(0o600)
    common = ["--host", ports.HOST, "--webui-port", "0", "--properties-file", str(settings)]
    try:
        log = folder / "master.log"
        cluster.processes.append(
            start(["master.Master", *common, "--port", str(port)], log, folder)
        )
        wait_for(log, "I have been elected leader", 1, cluster)
        for number in range(workers):
            worker = ["worker.Worker", *common, "--cores", "1", "--memory", memory]
            work = ["--work-dir", str(folder / f"work-{number}"), cluster.address]
            cluster.processes.append(start([*worker, *work], folder / f"{number}.log", folder))
        wait_for(log, "Registering worker", workers, cluster)
        yield cluster
    finally:
        cluster.kill()


def start(arguments: list[str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": ports.HOST,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_DIRS": str(folder),
    }
    with log.open("wb") as file:
        return subprocess.Popen(
            [str(program), f"{PACKAGE}.{arguments[0]}", *arguments[1:]],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )


def wait_for(log: Path, words: str, times: int, cluster: Cluster) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while log.read_text(errors="replace").count(words) < times:
        ended = [process.args for process in cluster.processes if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise RuntimeError(f"the cluster is not ready; ended: {ended}; see {log}")
        time.sleep(0.1)
