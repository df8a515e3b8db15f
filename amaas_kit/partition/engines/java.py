"""The Java that runs Spark, Flink and Hadoop, and the kit's own Java, compiled on first use."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from amaas_kit import files
from amaas_kit.doctor import OLDEST_JAVA, java_installer
from amaas_kit.errors import EngineError, MissingError
from amaas_kit.partition.engines.protocol import Availability

SOURCES = Path(__file__).with_suffix("")
"""The folder of the kit's Java, one package an engine."""

RELEASE = "11"
"""The oldest Java that can run what is compiled: a cluster may be older than this machine."""

COMPILE_SECONDS = 120


def available(compiler: bool = False) -> Availability:
    """Whether there is a Java that is new enough, and a compiler where one is asked for.

    `JAVA_HOME` decides where it is set, else the PATH.
    """
    program = _program("java")
    if program is None:
        return Availability(False, f"there is no Java {_where()}", java_installer(compiler))
    said = _said(program)
    number = re.search(r'version "(?:1\.)?(\d+)', said)
    if number is None:
        reason = f"{program} does not say which Java it is"
        return Availability(False, reason, java_installer(compiler))
    if int(number[1]) < OLDEST_JAVA:
        reason = f"{program} is Java {number[1]}, and Java {OLDEST_JAVA} or newer is needed"
        return Availability(False, reason, java_installer(compiler))
    if compiler and _program("javac") is None:
        reason = f"there is no Java compiler, javac, {_where()}"
        return Availability(False, reason, java_installer(compiler))
    return Availability(True, f"Java {version()} is here")


def find() -> Path:
    """The program `java`; whether it is new enough, `available` tells.

    Raises:
        MissingError: there is none.
    """
    return _found("java")


def version() -> str:
    """The version of Java, such as 17.0.15.

    Raises:
        MissingError: there is no Java.
    """
    number = re.search(r'version "([^"]+)"', _said(find()))
    return number[1] if number else "unknown"


def jar_folder(package: str, inside: str, jar: str) -> Path | None:
    """The folder of the jars that a package of Python carries; it is looked for, not loaded.

    Args:
        package: its name, such as "pyspark".
        inside: the folder within it.
        jar: a pattern of a jar that must be there, such as "spark-core_*.jar".

    Returns:
        The folder; None where the package or the jar is missing.
    """
    try:
        found = importlib.util.find_spec(package)
    except ValueError:
        return None
    for place in (found.submodule_search_locations or []) if found else []:
        if any((Path(place) / inside).glob(jar)):
            return Path(place) / inside
    return None


def kit_jar(package: str, class_path: Sequence[Path]) -> Path:
    """The kit's Java for an engine as a jar, compiled where this was not done before.

    Args:
        package: the folder of its sources, "flink" or "hadoop".
        class_path: the jars of the engine; a folder's jars are written `folder/*`.

    Returns:
        The jar, under the kit's folder; its name changes with the sources and the class path.

    Raises:
        MissingError: there is no compiler.
        EngineError: the compiler refuses the sources, as it may with other versions of the jars.
    """
    sources = sorted((SOURCES / "amaas" / package).glob("*.java"))
    paths = os.pathsep.join(str(path) for path in class_path)
    jars = [jar.name for entry in class_path for jar in sorted(entry.parent.glob(entry.name))]
    digest = hashlib.sha256(f"{RELEASE} {paths} {jars}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    folder = files.home() / "java"
    folder.mkdir(exist_ok=True)
    jar = folder / f"{package}-{digest.hexdigest()[:16]}.jar"
    if not jar.exists():
        with tempfile.TemporaryDirectory() as classes:
            _compile(sources, paths, Path(classes))
            files.write_whole(jar, lambda file: _pack(Path(classes), file))
    return jar


def _compile(sources: Sequence[Path], class_path: str, folder: Path) -> None:
    done = subprocess.run(
        [
            _found("javac"),
            *("--release", RELEASE, "-nowarn", "-proc:none", "-cp", class_path),
            *("-encoding", "UTF-8", "-d", folder),
            *sources,
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMPILE_SECONDS,
    )
    if done.returncode:
        raise EngineError(
            situation=f"While compiling {sources[0].parent}",
            seen=next(iter(done.stderr.strip().splitlines()), f"exit status {done.returncode}"),
            wrong="the kit's Java does not fit these jars, or the Java installation is broken",
            fix="install the versions that the kit's locks name, and a whole JDK",
        )


def _pack(classes: Path, file: BinaryIO) -> None:
    """A jar is a ZIP archive of classes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(classes.rglob("*.class")):
            archive.write(path, path.relative_to(classes).as_posix())


def _found(name: str) -> Path:
    program = _program(name)
    if program is None:
        raise MissingError(
            situation="While starting Java",
            seen=f"no program {name} {_where()}",
            wrong="Spark, Flink and Hadoop run on Java",
            fix=java_installer(compiler=name == "javac"),
        )
    return program


def _program(name: str) -> Path | None:
    home = os.environ.get("JAVA_HOME")
    folder = str(Path(home) / "bin") if home else None
    found = shutil.which(name, path=folder)
    return Path(found) if found else None


def _where() -> str:
    home = os.environ.get("JAVA_HOME")
    return f"in JAVA_HOME={home}" if home else "on the PATH"


def _said(program: Path) -> str:
    """What Java says of its version; asked once for a program that stays as it is."""
    try:
        changed = program.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _asked(program, changed)


@functools.lru_cache(maxsize=8)
def _asked(program: Path, changed: int) -> str:
    del changed  # a part of what the answer is kept by
    try:
        done = subprocess.run(
            [program, "-version"], check=False, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr + done.stdout
