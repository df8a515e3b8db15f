"""The learner's own copies of the lessons and the course's pages, and JupyterLab opened on them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from amaas_kit import files, ports
from amaas_kit.errors import DataError, MissingError, ServingError
from amaas_kit.this_python import pip_install

if TYPE_CHECKING:
    from jupyterlab_server.workspaces_handler import WorkspacesManager

KIT = Path(__file__).parent

FIRST_PAGE = "index.md"
"""The page that JupyterLab opens: the map of the course."""

FIRST_LAYOUT = KIT / "jupyter" / "first_layout.json"
"""What JupyterLab shows around the first page, the first time."""

PAGE_NOTES = "pages.json"
"""Which pages the kit copied where, in its own folder."""

PORT = 8888
"""The port that JupyterLab itself prefers."""

PORTS_TRIED = 50
"""So many ports from `PORT` on are tried before giving up."""


def lessons() -> dict[str, Path]:
    """The lessons that came with the kit, as file name -> file, in the order of the course.

    They lie in the kit in an installed wheel, beside it in a checkout.

    Raises:
        MissingError: the lessons are in neither place.
    """
    return _came_with_the_kit("*.ipynb")


def pages() -> dict[str, Path]:
    """The pages around the lessons: the map of the course and the glossary, by file name.

    Raises:
        MissingError: they are missing.
    """
    return _came_with_the_kit("*.md")


def _came_with_the_kit(pattern: str) -> dict[str, Path]:
    for folder in (KIT / "notebooks", KIT.parent / "notebooks"):
        found = {path.name: path for path in sorted(folder.glob(pattern))}
        if found:
            return found
    raise MissingError(
        situation="While looking for the lessons",
        seen=f"no {pattern} in {KIT / 'notebooks'} and none in {KIT.parent / 'notebooks'}",
        wrong="this copy of the kit is not whole",
        fix="install it again: pip install --force-reinstall amaas-kit",
    )


def copy_lessons(folder: Path) -> list[Path]:
    """Copy the lessons that `folder` does not hold yet. What it holds stays as it is.

    Args:
        folder: made when it is missing.

    Returns:
        The new copies.

    Raises:
        DataError: the folder cannot be written.
    """
    with _writing(folder):
        new = [path for name, path in lessons().items() if not (folder / name).exists()]
        return [_copy(path, folder / path.name) for path in new]


def copy_pages(folder: Path) -> list[Path]:
    """Copy the course's pages to `folder`, and renew those that the learner did not change.

    Args:
        folder: made when it is missing.

    Returns:
        The copies that are new or renewed.

    Raises:
        DataError: the folder cannot be written.
    """
    with _own_folder() as own:
        given = _given_pages(own)
    kit = {folder / name: path for name, path in pages().items()}
    with _writing(folder):
        copies = [
            _copy(path, copy)
            for copy, path in kit.items()
            if _may_write(copy, given) and _content(copy) != path.read_bytes()
        ]
    as_given = [copy for copy, path in kit.items() if _content(copy) == path.read_bytes()]
    with _own_folder() as own:
        _note_pages(own, {_place(copy): _digest(copy.read_bytes()) for copy in as_given})
    return copies


def find_copies() -> Path:
    """Where the learner's copies are: in this folder if it holds lessons, or else in `work`.

    A terminal of JupyterLab stands in the folder with the copies, another one mostly above it. The
    folder that the kit's own lessons lie in does not count.
    """
    here = Path()
    kit = lessons()
    mine = any((here / name).exists() and not (here / name).samefile(kit[name]) for name in kit)
    return here if mine else here / "work"


def reset_lesson(lesson: str, folder: Path) -> tuple[Path, Path | None]:
    """Put a fresh copy of one lesson into `folder`, and keep the learner's copy under a new name.

    Args:
        lesson: "02", "02_backpropagation" or "02_backpropagation.ipynb".
        folder: where the learner's copies are.

    Returns:
        The fresh copy, and where the old one is now (None when there was none).

    Raises:
        DataError: there is no such lesson, or the folder cannot be written.
    """
    source = _named(lesson)
    target = folder / source.name
    kept = None
    with _writing(folder):
        if target.exists():
            kept = _move_away(target)
        _copy(source, target)
    return target, kept


def choose_port(wanted: int | None) -> int:
    """A port of this machine that JupyterLab can listen on.

    Args:
        wanted: this one or none; 0 for any; None for the first free one from 8888 on.

    Raises:
        ServingError: the wanted port, or every port tried, is taken.
    """
    candidates = range(PORT, PORT + PORTS_TRIED) if wanted is None else (wanted,)
    for port in candidates:
        try:
            return ports.claim(port)
        except (OSError, OverflowError) as error:
            refused = f"port {port}: {error}"
    raise ServingError(
        situation="While starting JupyterLab",
        seen=refused,
        wrong="JupyterLab cannot listen there; most often another program does",
        fix="amaas lab --port 0 takes any free port",
    )


def prepare_workspace(folder: Path) -> Path:
    """Where JupyterLab remembers what is open in `folder`. A new place gets the kit's layout.

    Args:
        folder: what JupyterLab shows.

    Returns:
        A folder of the kit's own, in `AMAAS_HOME`.

    Raises:
        DataError: it cannot be written.
    """
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    place = folder.resolve()
    with _own_folder() as own:
        workspaces = own / "workspaces" / f"{place.name}-{_digest(bytes(place))[:8]}"
        manager = WorkspacesManager(str(workspaces))
        if not _remembers(manager):
            manager.save("default", FIRST_LAYOUT.read_text(encoding="utf-8"))
    return workspaces


def _remembers(manager: WorkspacesManager) -> bool:
    """Whether a layout is kept that can be read; a broken one is as good as none."""
    try:
        return bool(manager.load("default")["data"])
    except (ValueError, LookupError, TypeError):
        return False


def start_lab(
    folder: Path,
    port: int | None = None,
    browser: bool = True,
    announce: Callable[[str], object] = print,
) -> None:
    """Run JupyterLab on `folder` until it is ended, by Ctrl-C or from its menu.

    It listens on 127.0.0.1, asks for a token, and ends its kernels when it ends. The kit's own
    settings (pages rendered, no news, no look for updates) come from a folder on
    `JUPYTER_CONFIG_PATH`; the learner's settings are read and not changed. Which tabs are open is
    remembered for each folder; the first time, the table of contents is open on the left.

    The browser is not pinged, because on one machine nothing forgets a quiet connection. (With a
    `ws_ping_timeout` that Tornado takes without a warning, the server closes each one after 30 s.)

    Args:
        folder: what JupyterLab shows.
        port: as for `choose_port`.
        browser: whether to open it in the browser.
        announce: called with the address before JupyterLab starts.

    Raises:
        ServingError: the port is taken.
        MissingError: JupyterLab is not installed.
    """
    try:
        import zmq
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise MissingError(
            situation="While starting JupyterLab",
            seen=str(error),
            wrong="JupyterLab is not installed in this Python",
            fix=pip_install("jupyterlab"),
        ) from error
    port = choose_port(port)
    _prepare_environment()
    page = "/lab"
    if (folder / FIRST_PAGE).exists():
        page += f"/tree/{FIRST_PAGE}"
    announce(f"http://127.0.0.1:{port}{page}?token={os.environ['JUPYTER_TOKEN']}")
    arguments = [
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.open_browser={browser}",
        f"--LabApp.default_url={page}",
        f"--LabApp.workspaces_dir={prepare_workspace(folder)}",
        "--Application.log_level=WARN",
    ]
    if zmq.has("curve"):
        arguments.append("--KernelManager.transport_encryption=auto")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    LabApp.launch_instance(arguments)


def _prepare_environment() -> None:
    """What JupyterLab and the kernels that it starts find in their environment."""
    os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))
    _prepend("JUPYTER_CONFIG_PATH", KIT / "jupyter")
    # So that `!amaas` and `!bentoml` in a lesson are those of this Python.
    _prepend("PATH", Path(sys.executable).parent)


def _prepend(variable: str, folder: Path) -> None:
    rest = os.environ.get(variable)
    os.environ[variable] = f"{folder}{os.pathsep}{rest}" if rest else str(folder)


def _copy(source: Path, target: Path) -> Path:
    content = source.read_bytes()
    return files.write_whole(target, lambda file: file.write(content))


def _may_write(page: Path, given: dict[str, str]) -> bool:
    """Whether a page is missing, or is still as the kit gave it."""
    content = _content(page)
    return content is None or _digest(content) == given.get(_place(page))


def _place(page: Path) -> str:
    return str(page.resolve())


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _given_pages(own: Path) -> dict[str, str]:
    """What the kit copied where: the place of each page, and the digest of what was put there."""
    try:
        noted = json.loads((own / PAGE_NOTES).read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note_pages(own: Path, new: dict[str, str]) -> None:
    """Add to what was given; another lab may do so at the same time."""
    with files.locked(own / f".{PAGE_NOTES}.lock", 5):
        content = json.dumps(_given_pages(own) | new, indent=1).encode()
        files.write_whole(own / PAGE_NOTES, lambda file: file.write(content))


def _named(lesson: str) -> Path:
    """The lesson that was meant."""
    known = lessons()
    wanted = lesson.removesuffix(".ipynb")
    for name, path in known.items():
        number, _, _ = name.partition("_")
        if wanted in {number, name.removesuffix(".ipynb")}:
            return path
    raise DataError(
        situation="While looking for a lesson",
        seen=f"the name {lesson!r}",
        wrong="the lessons are " + ", ".join(name.removesuffix(".ipynb") for name in known),
        fix="name one of them, or its number: amaas reset 02",
    )


def _move_away(path: Path) -> Path:
    """Rename a file to the first numbered name beside it that is free; returns that name."""
    kept = _claim_name(path)
    try:
        path.replace(kept)
    except OSError:
        kept.unlink()
        raise
    return kept


def _claim_name(path: Path) -> Path:
    """A new empty file beside `path`, under the first numbered name that is free."""
    number = 1
    while True:
        candidate = path.with_name(f"{path.stem}-kept-{number}{path.suffix}")
        try:
            candidate.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return candidate


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """The kit's folder for what belongs to JupyterLab; what cannot be written there is said."""
    try:
        folder = files.home() / "lab"
        folder.mkdir(exist_ok=True)
        yield folder
    except OSError as error:
        raise DataError(
            situation="While remembering what JupyterLab shows",
            seen=str(error),
            wrong="the kit's own folder cannot be written",
            fix="set AMAAS_HOME to a folder of your own, and start again",
        ) from error


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Make `folder`; what then cannot be written there becomes an error that says what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise DataError(
            situation=f"While copying lessons to {folder}",
            seen=str(error),
            wrong="the folder cannot be made or written",
            fix="name another folder, one of your own",
        ) from error
