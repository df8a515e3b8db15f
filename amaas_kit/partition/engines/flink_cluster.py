"""A Flink cluster asked over its REST address: is it there, is it Flink, how far is a job."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from amaas_kit.errors import EngineError
from amaas_kit.this_python import pip_install

SILENCE_SECONDS = 3.0
"""So long a cluster may say nothing when it is asked."""

ANSWER_SECONDS = 6.0
"""So long its answer may take as a whole."""

MOST_BYTES = 1_000_000
"""No answer that is asked for here is longer."""

EXAMPLE = "http://127.0.0.1:8081"


@dataclass(frozen=True)
class Cluster:
    """The REST address of a Flink cluster. Make one with `Cluster.at`."""

    host: str
    port: int

    @classmethod
    def at(cls, address: str) -> Cluster:
        """The cluster of an address such as "http://127.0.0.1:8081".

        Raises:
            EngineError: this is no such address.
        """
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except (ValueError, AttributeError, TypeError):
            parts, host, port = None, None, None
        if parts is None or parts.scheme != "http" or not host or not port or parts.path.strip("/"):
            raise EngineError(
                situation="While choosing a Flink cluster",
                seen=f"address={address!r}",
                wrong="a cluster is named by http, host and port of its REST interface",
                fix=f'pass for example address="{EXAMPLE}"',
            )
        return cls(host, port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def check(self, version: str) -> None:
        """See that a cluster with this version of Flink is there, and has room.

        Raises:
            EngineError: with the address: nobody answers, or another program, or another version,
                or the cluster has nobody to work.
        """
        seen = self._overview()
        if seen["flink-version"] != version:
            raise self._failure(
                f"Flink {seen['flink-version']}, and Flink {version} here",
                "a job that one version has compiled is refused or misread by another",
                pip_install(f"apache-flink-libraries=={seen['flink-version']}"),
            )
        if not seen["slots-total"]:
            raise self._failure(
                "a JobManager without a TaskManager",
                "nobody would do the work",
                "start a TaskManager, and look for it on the address's page",
            )

    def answers(self) -> bool:
        """Whether the cluster answers at this moment."""
        try:
            self._get("/overview")
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return True

    def rows_read(self, job: str) -> int | None:
        """How many rows the tasks of a job have read so far; None where the cluster says nothing.

        Raises:
            OSError: it does not answer.
        """
        try:
            tasks = self._get(f"/jobs/{job}")["vertices"]
            return sum(int(task["metrics"]["read-records"]) for task in tasks) or None
        except (http.client.HTTPException, ValueError, KeyError, TypeError):
            return None

    def _overview(self) -> dict[str, Any]:
        fix = "look at the address; it is that of the JobManager's REST interface"
        try:
            seen = self._get("/overview")
            if {"flink-version", "slots-total"} <= seen.keys():
                return seen
            text = f"fields {', '.join(list(seen)[:5])}"
        except (ValueError, AttributeError, http.client.HTTPException) as error:
            text = f"{type(error).__name__}: {str(error)[:120]}"
        except OSError as error:
            raise self._failure(str(error), "nobody answers there", fix) from None
        raise self._failure(text, "what answers there is not Flink", fix)

    def _get(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SILENCE_SECONDS)
        connection.connect()
        limit = threading.Timer(ANSWER_SECONDS, _hang_up, [connection.sock])
        limit.start()
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES)
            if answer.status != http.client.OK:
                raise ValueError(f"status {answer.status} for {path}")
            content = json.loads(body)
            if not isinstance(content, dict):
                raise ValueError(f"no object for {path}")
            return content
        finally:
            limit.cancel()
            connection.close()

    def _failure(self, seen: str, wrong: str, fix: str) -> EngineError:
        return EngineError(f"While asking the Flink cluster at {self}", seen, wrong, fix)


def _hang_up(line: socket.socket) -> None:
    """End a conversation in which the other side says a byte now and then."""
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
