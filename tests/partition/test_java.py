"""The Java that is found, and the kit's own Java that is compiled with it once."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from amaas_kit import files
from amaas_kit.errors import EngineError, MissingError
from amaas_kit.partition.engines import java

HELLO = """package amaas.one;

public final class Hello {
    public static void main(String[] arguments) {
        System.out.print("WORDS");
    }
}
"""

MAGIC, CLASSES_OF_JAVA_11 = "cafebabe", 55


def program(folder: Path, name: str, says: str) -> Path:
    """A JAVA_HOME whose program writes a text to the standard error."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    file = folder / "bin" / name
    file.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\n")
    file.chmod(0o755)
    return folder


@pytest.fixture
def own_home(tmp_path, monkeypatch) -> Path:
    """A folder of the kit in which nothing is compiled yet."""
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def compiler() -> None:
    if not (state := java.available(compiler=True)):
        pytest.skip(f"{state.reason}; {state.command}")


@pytest.fixture
def sources(tmp_path, monkeypatch) -> Path:
    """Sources of a package "one", in place of the kit's."""
    folder = tmp_path / "sources" / "amaas" / "one"
    folder.mkdir(parents=True)
    monkeypatch.setattr(java, "SOURCES", tmp_path / "sources")
    write(folder, "first")
    return folder


def write(folder: Path, words: str) -> None:
    (folder / "Hello.java").write_text(HELLO.replace("WORDS", words), encoding="utf-8")


def said_by(jar: Path) -> str:
    command = [java.find(), "-Dfile.encoding=UTF-8", "-cp", jar, "amaas.one.Hello"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', "17.0.15"),
        ('openjdk version "21" 2023-09-19', "21"),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="1"\njava version "25-ea" 2025-09-16', "25-ea"),
    ],
)
def test_the_version_is_what_java_says(says, version, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path, "java", says)))
    assert java.find() == tmp_path / "bin" / "java"
    assert java.version() == version
    assert java.available()
    assert version in java.available().reason


@pytest.mark.parametrize("says", ["", "a shim: no version is set"])
def test_a_program_that_does_not_say_its_version(says, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path, "java", says)))
    state = java.available()
    assert not state
    assert "does not say which Java it is" in state.reason
    assert state.command


def test_a_java_that_took_the_place_of_an_older_one_is_asked_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path, "java", 'openjdk version "11.0.2"')))
    assert not java.available()
    file = program(tmp_path, "java", 'openjdk version "17.0.1"') / "bin" / "java"
    os.utime(file, (0, 0))
    assert java.available()


def test_java_on_the_path_where_no_java_home_is_set(tmp_path, monkeypatch):
    program(tmp_path, "java", 'openjdk version "17.0.1"')
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert java.find() == tmp_path / "bin" / "java"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.available().reason == "there is no Java on the PATH"
    with pytest.raises(MissingError, match="no program java on the PATH"):
        java.find()


def test_a_jar_holds_the_classes_for_java_11(compiler, own_home, sources):
    write(sources, "é𝄞")
    jar = java.kit_jar("one", [])
    assert jar.parent == own_home / "java"
    assert said_by(jar) == "é𝄞"
    with zipfile.ZipFile(jar) as archive:
        assert archive.namelist() == ["amaas/one/Hello.class"]
        head = archive.read("amaas/one/Hello.class")[:8]
    assert head[:4].hex() == MAGIC
    assert int.from_bytes(head[6:], "big") == CLASSES_OF_JAVA_11


def test_a_jar_is_made_once_and_again_when_its_source_or_its_jars_change(
    compiler, own_home, sources, tmp_path, monkeypatch
):
    first = java.kit_jar("one", [])
    written = first.stat().st_mtime_ns
    with monkeypatch.context() as without:
        without.setenv("JAVA_HOME", str(tmp_path / "none"))
        assert java.kit_jar("one", []) == first
    assert first.stat().st_mtime_ns == written
    write(sources, "second")
    second = java.kit_jar("one", [])
    assert [said_by(jar) for jar in (first, second)] == ["first", "second"]
    assert java.kit_jar("one", [tmp_path / "other.jar"]) not in (first, second)


def test_a_source_that_does_not_compile_is_named_with_its_line(compiler, own_home, sources):
    (sources / "Hello.java").write_text(HELLO.replace("System.out", "\n        System.oops"))
    with pytest.raises(EngineError) as caught:
        java.kit_jar("one", [])
    assert str(sources / "Hello.java") + ":6: error: cannot find symbol" in caught.value.seen
    assert list((own_home / "java").iterdir()) == []


def test_no_compiler(own_home, sources, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path, "java", 'openjdk version "17"')))
    with pytest.raises(MissingError, match="no program javac in JAVA_HOME") as caught:
        java.kit_jar("one", [])
    assert "jdk" in caught.value.fix.lower()
    assert list((own_home / "java").iterdir()) == []


COMPILE = """
import pathlib, sys
from amaas_kit.partition.engines import java
java.SOURCES = pathlib.Path(sys.argv[1])
print(java.kit_jar("one", []))
"""


def test_two_processes_that_compile_at_once_both_have_the_whole_jar(compiler, own_home, sources):
    command = [sys.executable, "-c", COMPILE, str(sources.parent.parent)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    jars = {Path(process.communicate()[0].strip()) for process in running}
    assert [process.returncode for process in running] == [0, 0]
    (jar,) = jars
    assert said_by(jar) == "first"
    assert list((files.home() / "java").iterdir()) == [jar]
