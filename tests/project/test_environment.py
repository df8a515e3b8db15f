"""`make` installs when it must, only then, and never takes half an installation for a whole one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GOALS = ("lab", "test", "soak", "serve", "bench", "check", "lock", "clean")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs hardware: make runs under WSL2")


class Project:
    """A project of its own whose installation is a link to this Python, and counted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.installed = 0
        self.interrupt = False
        (folder / "requirements").mkdir(parents=True)
        (folder / "pyproject.toml").write_text("[project]\n")
        for name in ("uv", "base", "gpu", "test"):
            (folder / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
        spec = importlib.util.spec_from_file_location("environment", ROOT / "tools/environment.py")
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        monkeypatch.setenv("AMAAS_GPU", "0")
        monkeypatch.setattr(self.module, "install", self.install)
        self.place(folder)

    def place(self, folder: Path) -> None:
        self.folder = folder
        self.module.ROOT = folder
        self.module.REQUIREMENTS = folder / "requirements"
        self.module.INSTALLER = folder / "requirements" / "uv.txt"

    def install(self, kind: str, folder: Path, files: list[Path]) -> None:
        self.installed += 1
        self.files = [file.name for file in files]
        (folder / "installed").unlink(missing_ok=True)
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "python").unlink(missing_ok=True)
        (folder / "bin" / "python").symlink_to(sys.executable)
        if self.interrupt:
            raise KeyboardInterrupt

    def make(self, kind: str = "base") -> int:
        """Ask for an environment; how many installations there have been."""
        self.module.main(kind)
        return self.installed


@pytest.fixture
def project(tmp_path, monkeypatch):
    return Project(tmp_path / "project", monkeypatch)


def test_a_second_call_installs_nothing(project):
    assert [project.make(), project.make()] == [1, 1]


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/base.txt", "requirements/uv.txt"])
def test_a_change_of_what_is_asked_for_installs_again(project, name):
    project.make()
    (project.folder / name).write_text("changed")
    assert [project.make(), project.make()] == [2, 2]


def test_a_lock_that_the_environment_is_not_made_from_is_no_reason(project):
    project.make()
    (project.folder / "requirements" / "test.txt").write_text("changed")
    assert project.make() == 1


def test_an_interrupted_installation_is_done_again(project):
    project.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        project.make()
    project.interrupt = False
    assert project.make() == 2


def test_an_interrupted_renewal_is_done_again_even_when_the_old_lock_returns(project):
    lock = project.folder / "requirements" / "base.txt"
    before = lock.read_text()
    project.make()
    lock.write_text("changed")
    project.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        project.make()
    project.interrupt = False
    lock.write_text(before)
    assert project.make() == 3


def test_an_environment_whose_python_is_gone_is_made_again(project):
    project.make()
    (project.folder / ".venv" / "bin" / "python").unlink()
    assert project.make() == 2


def test_a_project_that_was_moved_gets_a_new_environment(project, tmp_path):
    project.make()
    project.folder.rename(tmp_path / "elsewhere")
    project.place(tmp_path / "elsewhere")
    assert project.make() == 2
    assert not project.module.reusable(tmp_path / "elsewhere" / ".venv")


def test_two_at_once_install_once(project):
    calls = [threading.Thread(target=project.make) for _ in range(2)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert project.installed == 1


@pytest.mark.parametrize(("kind", "gpu", "files"), [
    ("base", "0", ["base.txt"]),
    ("base", "1", ["base.txt", "gpu.txt"]),
    ("test", "0", ["test.txt"]),
])  # fmt: skip
def test_each_environment_has_its_locks(project, monkeypatch, kind, gpu, files):
    monkeypatch.setenv("AMAAS_GPU", gpu)
    project.make(kind)
    assert project.files == files


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs hardware: Linux")
@pytest.mark.parametrize(("status", "found"), [(0, True), (9, False)])
def test_a_driver_is_one_that_answers(project, monkeypatch, tmp_path, status, found):
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("needs hardware: a machine without a driver")
    monkeypatch.delenv("AMAAS_GPU")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not project.module.nvidia_driver()
    program(tmp_path / "nvidia-smi", f"exit {status}")
    assert project.module.nvidia_driver() is found


def test_a_failed_step_says_what_to_do(project, capfd):
    with pytest.raises(SystemExit) as ended:
        project.module.run("false")
    text = str(ended.value)
    assert [line.split(":")[0].strip() for line in text.splitlines()[1:]] == [
        "seen",
        "wrong",
        "fix",
    ]
    assert "exit status 1 from: false" in text


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def choose(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run tools/python where only `folder`, and what the shell needs, is on the PATH."""
    path = os.pathsep.join([str(folder), *os.environ["PATH"].split(os.pathsep)])
    command = [ROOT / "tools" / "python", "-c", "print(1)"]
    environment = {"PATH": path, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_python_that_fits_is_chosen(tmp_path):
    program(tmp_path / "python3", "exit 1")
    program(tmp_path / "python3.13", "exit 1")
    program(tmp_path / "python3.12", f'echo twelve >&2; exec "{sys.executable}" "$@"')
    done = choose(tmp_path)
    assert (done.stdout, "twelve" in done.stderr) == ("1\n", True)


def test_without_a_python_that_fits_the_error_names_what_to_install(tmp_path):
    program(tmp_path / "python3", 'echo "Python 3.9.1"; exit 1')
    for version in (11, 12, 13):
        program(tmp_path / f"python3.{version}", "exit 1")
    done = choose(tmp_path)
    assert done.returncode == 1
    assert "seen:  Python 3.9.1" in done.stderr
    assert "fix:   install one of them" in done.stderr


def test_a_python_that_was_named_is_the_only_one_tried(tmp_path):
    program(tmp_path / "old", 'echo "Python 3.8.0"; exit 1')
    done = choose(tmp_path, PYTHON=str(tmp_path / "old"))
    assert (done.returncode, "Python 3.8.0" in done.stderr) == (1, True)


def test_every_goal_is_explained_and_takes_its_environment():
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for goal in GOALS:
        assert re.search(rf"^make {goal} ", told.stdout, re.MULTILINE)
        subprocess.run(["make", "-n", goal], cwd=ROOT, capture_output=True, check=True)


def test_ci_runs_what_a_person_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make test"]
