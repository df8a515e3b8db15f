"""The learner's own copies of the lessons, and JupyterLab opened on them."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from amaas_kit import files, ports
from amaas_kit.errors import DataError, MissingError, ServingError

KIT = Path(__file__).parent

FIRST_LESSON = "00_start_here.ipynb"

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
    for folder in (KIT / "notebooks", KIT.parent / "notebooks"):
        found = {path.name: path for path in sorted(folder.glob("*.ipynb"))}
        if found:
            return found
    raise MissingError(
        situation="While looking for the lessons",
        seen=f"no notebook in {KIT / 'notebooks'} and none in {KIT.parent / 'notebooks'}",
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
            kept = _claim_name(target)
            target.replace(kept)
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


def start_lab(
    folder: Path,
    port: int | None = None,
    browser: bool = True,
    announce: Callable[[str], object] = print,
) -> None:
    """Run JupyterLab on `folder` until it is ended, by Ctrl-C or from its menu.

    It listens on 127.0.0.1, asks for a token, and ends its kernels when it ends. The kit's own
    settings (no news, no look for updates) come from a folder on `JUPYTER_CONFIG_PATH`; the
    learner's settings are read and not changed.

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
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise MissingError(
            situation="While starting JupyterLab",
            seen=str(error),
            wrong="JupyterLab is not installed in this Python",
            fix=f"{sys.executable} -m pip install jupyterlab",
        ) from error
    port = choose_port(port)
    _prepare_environment()
    page = "/lab"
    if (folder / FIRST_LESSON).exists():
        page += f"/tree/{FIRST_LESSON}"
    announce(f"http://127.0.0.1:{port}{page}?token={os.environ['JUPYTER_TOKEN']}")
    arguments = [
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.open_browser={browser}",
        f"--LabApp.default_url={page}",
        f"--LabApp.workspaces_dir={files.home() / 'lab' / 'workspaces'}",
        "--Application.log_level=WARN",
    ]
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
