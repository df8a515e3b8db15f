"""Where Bentos and models lie: their tags, their versions, and which of them are cleared away.

BentoML keeps both under one folder, as `bentos/NAME/VERSION` and `models/NAME/VERSION`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Container, Iterator
from pathlib import Path

from amaas_kit import files
from amaas_kit.errors import ServingError

CARD_FILE = "model_card.json"
"""The file that tells a model which this kit packaged from others in the store."""

KINDS = ("models", "bentos")
"""What the store holds; a Bento needs its model, so the model comes first."""

KEPT_VERSIONS = 5
"""So many Bentos of a name stay; older ones go, unless a server is running on them."""

WAIT_SECONDS = 300.0
"""So long a process waits for others to finish packaging; one takes a few seconds."""

_NAME = re.compile(r"[a-z0-9]([-._a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 63


def folder() -> Path:
    """BentoML's own folder: `BENTOML_HOME`, or `~/bentoml`; absolute."""
    return Path(os.environ.get("BENTOML_HOME") or "~/bentoml").expanduser().absolute()


def check_name(name: str) -> None:
    """Refuse a name that BentoML would not take as the first half of a tag.

    Raises:
        ServingError: the name is too long, or holds other characters than these.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ServingError(
            situation="While packaging a model",
            seen=f"the name {name!r}",
            wrong=f"a name has at most {_LONGEST_NAME} characters: lower-case letters, digits and, "
            "between them, '-', '_' and '.'",
            fix="choose a name such as 'digits' or 'house-prices'",
        )


def find(tag: str) -> tuple[str, Path]:
    """The whole tag and the folder of a Bento.

    Args:
        tag: "digits:3", or "digits" for the newest.

    Raises:
        ServingError: there is no such Bento.
    """
    name, _, version = tag.partition(":")
    bentos = folder() / "bentos" / name
    if version in ("", "latest"):
        version = _newest(bentos)
    bento = bentos / version
    valid = _NAME.fullmatch(name) and _NAME.fullmatch(version)
    if not valid or not (bento / "bento.yaml").is_file():
        raise ServingError(
            situation=f"While looking for the Bento {tag!r}",
            seen=f"these Bentos: {', '.join(_tags()) or 'none'}",
            wrong="it is not among them",
            fix=f"package a model first: package(model, name={name!r}), or `amaas build`",
        )
    return f"{name}:{version}", bento


def next_version(name: str) -> int:
    """The version after the greatest that a Bento or a model of this name has."""
    return max([0, *(number for kind in KINDS for number in _numbers(kind, name))]) + 1


@contextlib.contextmanager
def workshop() -> Iterator[Path]:
    """An empty folder on the disk of the store, held against other processes of the kit.

    The lock ends with the process that holds it; what a process that was killed left behind is gone
    when the next one enters. No folder is used twice: what such a process started may still write.

    Raises:
        ServingError: another process does not let go of it.
    """
    folder().mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(files.locked(folder() / ".amaas-kit.lock", WAIT_SECONDS))
        except TimeoutError:
            raise ServingError(
                situation="While packaging a model",
                seen=f"another process that has been packaging for {WAIT_SECONDS:g} s",
                wrong=f"only one at a time may change the store {folder()}",
                fix="end that process, which may be paused, or restart its notebook's kernel",
            ) from None
        shops = folder() / ".amaas-kit"
        shutil.rmtree(shops, ignore_errors=True)
        shops.mkdir(exist_ok=True)
        try:
            yield Path(tempfile.mkdtemp(dir=shops))
        finally:
            shutil.rmtree(shops, ignore_errors=True)


def adopt(other: Path, name: str, version: int) -> None:
    """Move a finished model and Bento out of another store on the same disk into this one.

    Each appears whole, by being renamed. After a failure neither is there.
    """
    try:
        for kind in KINDS:
            named = folder() / kind / name
            named.mkdir(parents=True, exist_ok=True)
            (other / kind / name / str(version)).rename(named / str(version))
            files.write_whole(named / "latest", lambda file: file.write(str(version).encode()))
    except BaseException:
        for kind in KINDS:
            _remove(kind, name, version)
        raise


def prune(name: str, in_use: Container[str]) -> None:
    """Remove what this kit packaged under a name, except for the last versions and those in use.

    Args:
        name: the first half of the tags.
        in_use: the tags that a running server holds.
    """
    for version in _numbers("bentos", name)[:-KEPT_VERSIONS]:
        if f"{name}:{version}" not in in_use and _is_ours(name, version):
            _remove("bentos", name, version)
    for version in _numbers("models", name):
        if _is_ours(name, version) and not _is_used_by_a_bento(f"{name}:{version}"):
            _remove("models", name, version)


def _numbers(kind: str, name: str) -> list[int]:
    found = (folder() / kind / name).glob("*/")
    return sorted(int(path.name) for path in found if path.name.isdecimal())


def _newest(bentos: Path) -> str:
    """The version that BentoML calls the latest, or the greatest where it names none."""
    marker = bentos / "latest"
    named = marker.read_text().strip() if marker.is_file() else ""
    if named and (bentos / named).is_dir():
        return named
    numbers = _numbers("bentos", bentos.name)
    return str(numbers[-1]) if numbers else ""


def _tags() -> list[str]:
    found = sorted((folder() / "bentos").glob("*/*/bento.yaml"))
    return [f"{path.parts[-3]}:{path.parts[-2]}" for path in found]


def _is_ours(name: str, version: int) -> bool:
    return (folder() / "models" / name / str(version) / CARD_FILE).is_file()


def _is_used_by_a_bento(tag: str) -> bool:
    named = re.compile(rf"\btag: {re.escape(tag)}$", re.MULTILINE)
    return any(
        named.search(path.read_text(encoding="utf-8"))
        for path in (folder() / "bentos").glob("*/*/bento.yaml")
    )


def _remove(kind: str, name: str, version: int) -> None:
    named = folder() / kind / name
    shutil.rmtree(named / str(version), ignore_errors=True)
    marker = named / "latest"
    if marker.is_file() and marker.read_text().strip() == str(version):
        marker.unlink()
    with contextlib.suppress(OSError):
        named.rmdir()
