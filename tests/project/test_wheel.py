"""What `pip install` brings is enough for `amaas lab` anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BIN = "Scripts" if os.name == "nt" else "bin"
SCRATCH = re.compile(r"__pycache__|\.py[co]$|\.ipynb_checkpoints|(^|/)\.|(^|/)work/|\.egg-info")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive, and the wheel that is built out of it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment that holds the wheel, and borrows all other packages from this one."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / BIN / "python"
    run(sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--python", python, wheel)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "share").symlink_to(Path(sys.prefix, "share"))
    return folder


def run(*command: str | Path, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_lessons_and_the_service(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    for folder, pattern in (
        ("notebooks", "*.ipynb"),
        ("notebooks", "*.md"),
        ("bentos/digits", "*"),
    ):
        for path in (ROOT / folder).glob(pattern):
            if path.is_file():
                assert f"amaas_kit/{folder}/{path.name}" in names
    assert {
        "amaas_kit/data/digits.npz",
        "amaas_kit/jupyter/first_layout.json",
        "amaas_kit/jupyter/jupyter_server_config.json",
        "amaas_kit/jupyter/labconfig/default_setting_overrides.json",
        "amaas_kit/partition/engines/java/amaas/flink/Bounds.java",
        "amaas_kit/partition/engines/java/amaas/hadoop/Main.java",
        "amaas_kit/py.typed",
    } <= names
    assert not [name for name in names if SCRATCH.search(name)]
    assert not [name for name in names if not re.match(r"amaas_kit[/-]", name)]


def test_the_source_archive_holds_what_is_needed_and_nothing_else(built):
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {"LICENSE", "Makefile", "README.md", "requirements/base.txt", "tools/python"} <= names
    # The build tool itself always adds the file that says what git ignores.
    assert not [name for name in names - {".gitignore"} if SCRATCH.search(name)]


def test_the_installed_kit_finds_its_lessons_and_its_service(environment, tmp_path):
    program = (
        "import json, amaas_kit; from amaas_kit import lab; "
        "print(json.dumps([amaas_kit.__file__, *map(str, lab.lessons().values())]))"
    )
    places = json.loads(run(environment / BIN / "python", "-c", program, cwd=tmp_path))
    assert all(Path(place).is_relative_to(environment) for place in places)
    assert len(places) == 1 + len(list((ROOT / "notebooks").glob("*.ipynb")))


def test_amaas_lab_serves_copies_of_the_lessons_in_an_empty_folder(environment, tmp_path):
    command = [environment / BIN / "amaas", "lab", "--no-browser", "--port", "0"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **options) as process:
        try:
            address = next(line for line in process.stdout if "http://" in line).split()[-1]
            page, _, token = address.partition("?")
            base = "/".join(page.split("/")[:3])
            listing = answer(f"{base}/api/contents?{token}")
        finally:
            end(process)
    served = {entry["name"] for entry in json.loads(listing)["content"]}
    course = (path for kind in ("*.ipynb", "*.md") for path in (ROOT / "notebooks").glob(kind))
    assert served == {path.name for path in course}
    assert served == {path.name for path in (tmp_path / "work").iterdir()}


def end(process: subprocess.Popen[str], seconds: float = 60) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def answer(address: str, seconds: float = 60) -> bytes:
    """What a server says once it is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as response:
                return response.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
