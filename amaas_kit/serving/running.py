"""Which servers of this kit are running, so that nobody clears away the Bento under one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from amaas_kit import files


@dataclass(frozen=True)
class Running:
    """One server that is running.

    Attributes:
        pid: the process of the server.
        started: when that process started, in seconds since 1970; tells it from a later process
            that was given the same number.
        tag: the Bento that it serves.
        store: BentoML's folder, in which that Bento lies.
        url: where it answers.
    """

    pid: int
    started: float
    tag: str
    store: str
    url: str


def record(server: Running) -> Path:
    """Keep a record of a server; the file that it lies in is removed when the server ends."""
    folder = _folder()
    folder.mkdir(exist_ok=True)
    text = json.dumps(asdict(server))
    return files.write_whole(folder / f"{server.pid}.json", lambda file: file.write(text.encode()))


def servers() -> list[Running]:
    """The servers that are running now; the records of those that are not are removed."""
    return [server for path in sorted(_folder().glob("*.json")) for server in _alive(path)]


def tags_in_use(store: Path) -> set[str]:
    """The Bentos of a store that a server is running on."""
    return {server.tag for server in servers() if server.store == str(store)}


def _folder() -> Path:
    return files.home() / "servers"


def _alive(path: Path) -> Iterator[Running]:
    import psutil  # type: ignore[import-untyped]

    try:
        server = Running(**json.loads(path.read_bytes()))
        process = psutil.Process(server.pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        if process.create_time() == server.started and not ended:
            yield server
            return
    except (OSError, TypeError, ValueError, psutil.NoSuchProcess):
        pass
    path.unlink(missing_ok=True)
