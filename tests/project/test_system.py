"""`make system` installs what this machine lacks, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "tools" / "debian-packages"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs hardware: make runs under WSL2")


class Machine:
    """A machine that has only a few programs, whose apt-get writes down what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        self.asked = folder / "asked"
        self.asked.touch()
        self.system = folder / "os-release"
        self.script = folder / "debian-packages"
        self.script.write_text(SCRIPT.read_text().replace("/etc/os-release", str(self.system)))
        for name in ("sh", "grep", "env"):
            (self.programs / name).symlink_to(shutil.which(name))
        self.give("id", "echo 1000")
        self.give("sudo", 'exec "$@"')
        self.give("apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {self.asked}')

    def give(self, name: str, text: str, folder: Path | None = None) -> None:
        path = (folder or self.programs) / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.programs / "sh", self.script],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": str(self.programs), **variables},
        )

    def installed(self, **variables: str) -> list[str]:
        done = self.run(**variables)
        assert (done.returncode, done.stderr) == (0, "")
        lines = self.asked.read_text().splitlines()
        if not lines:
            return []
        update, install = lines
        assert update.split()[0] == "update"
        assert install.split()[:2] == ["noninteractive", "install"]
        return [word for word in install.split()[2:] if not word.startswith("--")]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "machine")


def test_a_bare_machine_gets_both(machine):
    assert machine.installed() == ["chromium", "default-jdk-headless"]


def test_a_machine_that_has_both_is_left_alone(machine):
    machine.give("chromium", "")
    machine.give("javac", "echo javac 17.0.15")
    assert machine.installed() == []


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "16.0.2"])
def test_an_old_compiler_is_none(machine, version):
    machine.give("chromium", "")
    machine.give("javac", f"echo javac {version} >&2")
    assert machine.installed() == ["default-jdk-headless"]


@pytest.mark.parametrize("version", ["17", "21.0.4", "25"])
def test_a_compiler_of_java_home_will_do(machine, tmp_path, version):
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    machine.give("javac", f"echo javac {version}", tmp_path / "jdk" / "bin")
    assert machine.installed(JAVA_HOME=str(tmp_path / "jdk")) == ["chromium"]


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("VERSION_CODENAME=jammy", "openjdk-17-jdk-headless"),
        ("UBUNTU_CODENAME=focal", "openjdk-17-jdk-headless"),
        ("VERSION_CODENAME=trixie", "default-jdk-headless"),
    ],
)
def test_a_system_whose_default_java_is_too_old_gets_17(machine, line, package):
    machine.system.write_text(f"NAME=some\n{line}\nID=some\n")
    assert machine.installed() == ["chromium", package]


def test_another_system_is_told_what_to_install(machine):
    (machine.programs / "apt-get").unlink()
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("installer: chromium default-jdk-headless")
