"""A Bento served in a process of its own, for as long as the process that asked for it runs."""

from __future__ import annotations

import atexit
import contextlib
import errno
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import psutil  # type: ignore[import-untyped]

from amaas_kit import files, ports
from amaas_kit.errors import ServingError
from amaas_kit.serving import leash, running, store

ANY_HOST = "0.0.0.0"
"""Every address of this machine; it can be listened on, but not asked."""

STOP_SECONDS = 10.0
"""So long a server may take to end in order; what is left of it then is killed."""

KILL_SECONDS = 2.0
"""So long the system may take to clear away a process that was killed."""

DRAIN_SECONDS = 5
"""So long requests in flight may take to finish when the server is told to end."""

WORKER_MODULE = "_bentoml_impl.worker.service"
"""What BentoML's supervisor starts; without it, a service that cannot start is seen only late."""

LOG_OPTION = "services.logging.access.request_content_type=false"
"""BentoML's log fails over a content type that is not UTF-8, and the answer is cut off with it."""

MARK = "AMAAS_SERVER"
"""The environment variable by which the processes of one server know each other."""

LOG_LINES = 15
"""So many lines of the log an error quotes."""

_started: set[Server] = set()
"""The servers of this process that nobody has stopped."""


class Server:
    """A server that is running. It ends with `stop`, with its `with` block, or with this process.

    Attributes:
        tag: the Bento that is served, such as "digits:3".
        url: where it answers, such as "http://127.0.0.1:3000".
        port: the port in that.
        log: the file that its output goes to.
    """

    def __init__(self, tag: str, bento: Path, host: str, port: int) -> None:
        self.tag = tag
        self.port = port
        self.url = f"http://{ports.HOST if host == ANY_HOST else host}:{port}"
        self.log = _log_file(tag, port)
        self._mark = secrets.token_hex(8)
        self._process = _start(bento, host, port, self.log, self._mark)
        try:
            self._record = running.record(
                running.Running(
                    pid=self._process.pid,
                    started=psutil.Process(self._process.pid).create_time(),
                    tag=tag,
                    store=str(store.folder()),
                    url=self.url,
                )
            )
        except BaseException:
            _end(self._process, self._mark)
            raise
        atexit.register(self.stop)
        _started.add(self)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Server({self.tag!r}, {self.url!r}, {'running' if self.running else 'stopped'})"

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server and everything that it started. Calling it again does nothing."""
        atexit.unregister(self.stop)
        _started.discard(self)
        _end(self._process, self._mark)
        self._record.unlink(missing_ok=True)

    def wait(self) -> None:
        """Return when the server has ended, by itself or because it was stopped."""
        self._process.wait()

    def _wait_until_ready(self, timeout: float) -> None:
        """Return once the service answers that it is ready, on a port that is really its own."""
        deadline = time.monotonic() + timeout
        workers: set[int] = set()
        while time.monotonic() < deadline:
            present = set(_workers(self._process.pid))
            if not self.running or workers - present:
                self._fail("its process ended while it was starting")
            workers |= present
            if self._listens() and self._says_ready():
                return
            time.sleep(0.1)
        self._fail(f"it was not ready after {timeout:g} s")

    def _listens(self) -> bool:
        with contextlib.suppress(psutil.Error):
            for connection in psutil.Process(self._process.pid).net_connections("inet"):
                if connection.laddr.port == self.port and connection.status == psutil.CONN_LISTEN:
                    return True
        return False

    def _says_ready(self) -> bool:
        """Ask once. The question waits in the queue of the port until the worker takes it up."""
        connection = http.client.HTTPConnection(self.url.partition("//")[2], timeout=0.5)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        return False

    def _fail(self, wrong: str) -> NoReturn:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise ServingError(
            situation=f"While starting a server for {self.tag}",
            seen="\n".join(["the log ends with", *lines[-LOG_LINES:]]),
            wrong=wrong,
            fix=f"read the whole log, {self.log}; `amaas doctor` checks this machine",
        )


def serve(tag: str, port: int = 0, host: str = ports.HOST, timeout: float = 120.0) -> Server:
    """Serve a Bento, and return when it is ready to answer.

    Args:
        tag: "digits:3", or "digits" for the newest of the name.
        port: where to listen; 0 picks a free port.
        host: the address to listen on; by default only this machine can ask.
        timeout: the most seconds to wait until it is ready.

    Returns:
        The running server; use it in a `with` block, or call `stop`.

    Raises:
        ServingError: there is no such Bento, the port is taken, the server died (the error quotes
            its log), or it was not ready in time.

    Taught in: notebooks/11_package_and_serve, "Serve".
    """
    tag, bento = store.find(tag)
    address = _address(host)
    try:
        server = Server(tag, bento, address, _claim(address, port))
    except OSError as error:
        _refuse(
            str(error),
            "the log and the record of the server cannot be written",
            "free some space, or set AMAAS_HOME to a folder that you may write to",
        )
    try:
        server._wait_until_ready(timeout)
    except BaseException:
        server.stop()
        raise
    return server


def stop_all() -> None:
    """End every server that this process started, also those whose name was given to another.

    Taught in: notebooks/00_start_here, "Serve".
    """
    for server in list(_started):
        server.stop()


def _start(bento: Path, host: str, port: int, log: Path, mark: str) -> subprocess.Popen[bytes]:
    arguments = ["serve", str(bento), "--host", host, "--port", str(port)]
    arguments += ["--timeout-graceful-shutdown", str(DRAIN_SECONDS)]
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", leash.__file__, str(os.getpid()), *arguments],
            cwd=bento,
            env=_environment(mark),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **options,
        )


def _environment(mark: str) -> dict[str, str]:
    """This process's environment, with BentoML told not to report home and not to show its code."""
    kept = {name: value for name, value in os.environ.items() if name != "BENTOML_DEBUG"}
    return kept | {
        "BENTOML_HOME": str(store.folder()),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_CONFIG_OPTIONS": f"{kept.get('BENTOML_CONFIG_OPTIONS', '')} {LOG_OPTION}".strip(),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        MARK: mark,
    }


def _log_file(tag: str, port: int) -> Path:
    folder = files.home() / "logs"
    folder.mkdir(exist_ok=True)
    return folder / f"{tag.replace(':', '-')}-{port}.log"


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """End a process and all that it started: in order, if it can; by force, if it must."""
    members = _tree(process.pid)
    with contextlib.suppress(OSError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    members += [*_tree(process.pid), *_marked(mark)]
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(members, timeout=KILL_SECONDS)


def _tree(pid: int) -> list[Any]:
    """The processes that a process started, and those that they started."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _marked(mark: str) -> Iterator[Any]:
    """The processes of a server, also those whose parent was killed."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                yield process


def _workers(pid: int) -> Iterator[int]:
    """The living processes in which BentoML's supervisor runs the service."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with contextlib.suppress(psutil.Error):
                if WORKER_MODULE in child.cmdline():
                    yield child.pid


def _address(host: str) -> str:
    """The number of a host; BentoML takes no names."""
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except OSError:
        _refuse_host(host)


def _claim(host: str, port: int) -> int:
    """The port, free at this moment; a free one for 0."""
    try:
        return ports.claim(port, host)
    except (OverflowError, TypeError):
        _refuse(
            f"port {port!r}", "a port is a whole number from 1 to 65535", "say 0 for a free one"
        )
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            _refuse_host(host)
        _refuse(
            f"port {port} of {host}: {os.strerror(error.errno or 0).lower()}",
            "a server cannot listen there",
            f"take port {ports.claim(0)}, which is free, or 0 for any; or stop what runs there",
        )


def _refuse_host(host: str) -> NoReturn:
    _refuse(
        f"the host {host!r}",
        "this machine has no such address",
        f"leave the host out, or say {ANY_HOST} to be reached from other machines",
    )


def _refuse(seen: str, wrong: str, fix: str) -> NoReturn:
    raise ServingError("While starting a server", seen, wrong, fix)
