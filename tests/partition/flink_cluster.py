"""A real Flink cluster for tests: a JobManager and a TaskManager, two processes on loopback."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from pathlib import Path

from amaas_kit import ports
from amaas_kit.partition.engines import flink_gateway

JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"

SLOTS = 2
START_SECONDS = 60

MEMORY = {
    "taskmanager.memory.framework.heap.size": "64m",
    "taskmanager.memory.task.heap.size": "256m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "64m",
    "taskmanager.memory.jvm-overhead.max": "64m",
    "taskmanager.cpu.cores": "2.0",
}
"""Without Flink's own scripts, which work these sizes out, each must be given."""


class RealCluster:
    """A JobManager and, unless told otherwise, a TaskManager. They end with `stop`."""

    def __init__(self, folder: Path, workers: bool = True) -> None:
        self.folder = folder
        self.port = ports.claim(0)
        self.address = f"http://{ports.HOST}:{self.port}"
        self.settings = self._settings()
        lines = [f"{name}: {value}\n" for name, value in self.settings.items()]
        (folder / "config.yaml").write_text("".join(lines))
        self.job_manager = self._start(JOB_MANAGER, "256m")
        self.task_manager = self._start(TASK_MANAGER, "320m") if workers else None
        try:
            self._wait(SLOTS if workers else 0)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for process in (self.task_manager, self.job_manager):
            if process is not None:
                process.kill()
                process.wait()

    def get(self, path: str) -> dict:
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=5)
        try:
            connection.request("GET", path)
            return json.load(connection.getresponse())
        finally:
            connection.close()

    def _settings(self) -> dict[str, str]:
        scratch = self.folder / "tmp"
        scratch.mkdir()
        return {
            "jobmanager.rpc.address": ports.HOST,
            "jobmanager.rpc.port": str(ports.claim(0)),
            "jobmanager.bind-host": ports.HOST,
            "blob.server.port": str(ports.claim(0)),
            "rest.address": ports.HOST,
            "rest.bind-address": ports.HOST,
            "rest.port": str(self.port),
            "rest.bind-port": str(self.port),
            "metrics.fetcher.update-interval": "500",
            "taskmanager.host": ports.HOST,
            "taskmanager.bind-host": ports.HOST,
            "taskmanager.numberOfTaskSlots": str(SLOTS),
            "io.tmp.dirs": str(scratch),
            "web.tmpdir": str(scratch),
            **MEMORY,
        }

    def _start(self, kind: str, heap: str) -> subprocess.Popen[bytes]:
        jars = flink_gateway.flink_folder()
        command = ["java", *flink_gateway.java_options(heap), "-cp", f"{jars}/*", kind]
        command += ["--configDir", str(self.folder)]
        if kind == TASK_MANAGER:
            command += [
                part for name, value in self.settings.items() for part in ("-D", f"{name}={value}")
            ]
        with (self.folder / f"{kind.rpartition('.')[2]}.log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _wait(self, slots: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.get("/overview")["slots-total"] == slots:
                    return
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                pass
            time.sleep(0.1)
        raise TimeoutError(f"no Flink at {self.address}; its logs are in {self.folder}")
