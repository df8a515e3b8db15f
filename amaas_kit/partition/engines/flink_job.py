"""One job of Flink: submitted, watched to its end, cancelled when nobody waits for it any more."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amaas_kit.errors import EngineError
from amaas_kit.partition.engines.flink_cluster import Cluster
from amaas_kit.partition.engines.flink_sql import PACKAGE, Script
from amaas_kit.partition.engines.gateway import Gateway

POLL_SECONDS = 0.1

ASK_SECONDS = 1.0
"""So often a running job is asked how far it is, and told that it is still wanted."""

LOST_SECONDS = 20.0
"""A cluster that has not answered for so long is given up."""

HEARTBEAT_SECONDS = 20
"""A cluster ends our job by itself when it has heard nothing from here for so long."""

CANCEL_SECONDS = 10.0
"""So long a job may take to end once it is cancelled."""

END_SECONDS = 2.0
"""So long Java may take to be gone once it does not answer."""

MOST_CAUSES = 50
MOST_LETTERS = 400

PACKAGES = re.compile(r"\b(?:[a-z][\w$]*\.)+(?=[A-Z]\w*(?:Exception|Error)\b)")
"""What stands before the name of a kind of error in Java."""


@dataclass(frozen=True)
class Job:
    """A script that is to run.

    Args:
        gateway: Java with Flink in it, which submits the job.
        cluster: where its tasks run.
        own: whether that is the small cluster in the gateway, there for this job only.
        settings: Flink's, by name.
        script: the statements.
        bounds: of each function that counts the bounds of a range, its kind of key and the bounds,
            written as the cells of a line.
        rows_read: is told now and then how many rows were read, None where that is unknown.
    """

    gateway: Gateway
    cluster: Cluster
    own: bool
    settings: Mapping[str, str]
    script: Script
    bounds: Mapping[str, tuple[str, str]]
    rows_read: Callable[[int | None], None]

    def run(self) -> None:
        """Run it to its end.

        Raises:
            EngineError: it failed, with the cause in one line, or the cluster is lost.
        """
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]

        client = None
        try:
            client = self.gateway.ask(self._submit)
            self._wait(client)
        except Py4JError as error:
            failure = self._failure(error)
            if client is not None:
                self._cancel(client)
            raise failure from None
        except BaseException:
            if client is None:
                self.gateway.stop()  # it may be submitting still
            else:
                self._cancel(client)
            raise

    def _submit(self) -> Any:
        """Hand the statements to Flink; returns its client of the job."""
        jvm = self.gateway.jvm
        settings = jvm.org.apache.flink.configuration.Configuration()
        for name, value in self.settings.items():
            settings.setString(name, value)
        api = jvm.org.apache.flink.table.api
        environment = api.TableEnvironment.create(
            api.EnvironmentSettings.newInstance().withConfiguration(settings).build()
        )
        for name, (kind, bounds) in self.bounds.items():
            function = getattr(jvm, f"{PACKAGE}.Bounds")(kind, bounds)
            environment.createTemporarySystemFunction(name, function)
        for statement in self.script.tables:
            environment.executeSql(statement)
        return environment.executeSql(self.script.insert).getJobClient().get()

    def _wait(self, client: Any) -> None:
        ask = self.gateway.ask
        end, job = ask(lambda: (client.getJobExecutionResult(), client.getJobID().toString()))
        asked = heard = time.monotonic()
        while not ask(end.isDone):
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if now - asked < ASK_SECONDS:
                continue
            asked = now
            try:
                self.rows_read(self.cluster.rows_read(job))
                heard = now
            except OSError:
                if not self.own and now - heard > LOST_SECONDS:
                    raise self._lost() from None
            if not self.own:
                until = int((time.time() + HEARTBEAT_SECONDS) * 1000)
                ask(functools.partial(client.reportHeartbeat, until))
        ask(end.get)

    def _cancel(self, client: Any) -> None:
        """End the job; one that cannot be told lacks its heartbeat from now on."""
        ask = self.gateway.ask
        with contextlib.suppress(Exception):
            ask(client.cancel)
            end = ask(client.getJobExecutionResult)
            deadline = time.monotonic() + CANCEL_SECONDS
            while not ask(end.isDone) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def _failure(self, error: Exception) -> EngineError:
        """Why a job failed: by itself, or as its cluster or Java is gone. The log has it all."""
        from py4j.protocol import Py4JJavaError

        if not isinstance(error, Py4JJavaError) and self.gateway.ended(END_SECONDS):
            return self._error(
                f"Java ended with status {self.gateway.status}",
                "it ran out of memory, or somebody ended it",
                "read the log; pass a larger memory=… if it speaks of memory",
            )
        cause, story = self.gateway.ask(lambda: (root_cause(error), str(error)))
        with self.gateway.log.open("a", encoding="utf-8") as log:
            log.write(f"{story}\n")
        if not self.own and not self.cluster.answers():
            return self._lost()
        return self._error(
            cause,
            "Flink ended the job",
            "read the log"
            if self.own
            else "read the log; all machines of the cluster must see the path of the target",
        )

    def _lost(self) -> EngineError:
        return self._error(
            "no answer any more",
            "the cluster ended in the middle of the job, or the network to it",
            "look at the JobManager's log, start the cluster again, and run this again",
        )

    def _error(self, seen: str, wrong: str, fix: str) -> EngineError:
        where = "in a cluster of its own" if self.own else f"on the cluster at {self.cluster}"
        return EngineError(
            situation=f"While Flink was cutting {where}",
            seen=f"{seen} (log: {self.gateway.log})",
            wrong=wrong,
            fix=fix,
        )


def root_cause(error: Any) -> str:
    """The first line of what an error of Java's comes down to."""
    cause = getattr(error, "java_exception", None)
    if cause is None:
        return first_line(str(error))
    for _ in range(MOST_CAUSES):
        below = cause.getCause()
        if below is None:
            break
        cause = below
    return PACKAGES.sub("", first_line(cause.toString()))


def first_line(text: str) -> str:
    """The first line, cut to a length that a message bears."""
    return (text.strip().splitlines() or ["nothing"])[0][:MOST_LETTERS]
