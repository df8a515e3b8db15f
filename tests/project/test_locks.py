"""The locks hold what pyproject.toml asks for, on every machine that they are for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BASE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]

ASKED = {
    "uv": PROJECT["dependency-groups"]["install"],
    "base": BASE,
    "gpu": BASE + EXTRAS["gpu"],
    "test": BASE + EXTRAS["test"] + EXTRAS["spark"] + EXTRAS["flink"],
    "bench": BASE + EXTRAS["bench"],
}

MACHINES = {
    "Linux": {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"},
}
SYSTEMS = {"Linux": "Linux", "macOS": "Darwin", "Windows": "Windows"}
PYTHONS = ("3.11", "3.12", "3.13")


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each package of a lock with its hashes."""
    joined = text_of(lock).replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split("--hash=")
            found.append((Requirement(requirement), [value.strip() for value in hashes]))
    return found


def machine(name: str, python: str) -> dict[str, str]:
    facts = {"platform_system": SYSTEMS[name], "python_version": python, "extra": ""}
    return {
        **default_environment(),
        **MACHINES[name],
        **facts,
        "python_full_version": f"{python}.9",
    }


def pinned(lock: str, environment: dict[str, str]) -> dict[str, str]:
    """What a lock installs on a machine: package -> version."""
    chosen: dict[str, str] = {}
    for requirement, _ in entries(lock):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in chosen, f"{lock} holds {name} twice for one machine"
            chosen[name] = str(requirement.specifier).removeprefix("==")
    return chosen


def applies(line: str, environment: dict[str, str]) -> Requirement | None:
    requirement = Requirement(line)
    fits = requirement.marker is None or requirement.marker.evaluate(environment)
    return requirement if fits else None


@pytest.mark.parametrize("lock", ASKED)
def test_every_package_is_exact_and_hashed(lock):
    assert entries(lock)
    for requirement, hashes in entries(lock):
        assert re.fullmatch(r"==[^=*,]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, f"{requirement.name} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes)


@pytest.mark.parametrize("lock", ASKED)
def test_no_lock_names_an_index_or_a_folder(lock):
    assert not re.findall(
        r"https?:|file:|--(?:extra-)?index-url|--find-links|^-", text_of(lock), re.M
    )


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("lock", ASKED)
def test_a_lock_meets_what_the_project_asks_for(lock, name, python):
    environment = machine(name, python)
    held = pinned(lock, environment)
    for line in ASKED[lock]:
        requirement = applies(line, environment)
        if requirement is not None:
            version = held.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement.name} is missing"
            assert requirement.specifier.contains(version), f"{requirement} got {version}"


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("lock", [lock for lock in ASKED if lock != "base"])
def test_no_lock_differs_from_the_base(lock, name):
    for python in PYTHONS:
        environment = machine(name, python)
        base, other = pinned("base", environment), pinned(lock, environment)
        assert {package: other[package] for package in base if package in other} == {
            package: base[package] for package in base if package in other
        }


def test_the_gpu_lock_brings_the_libraries_on_linux_alone():
    for name in MACHINES:
        extra = set(pinned("gpu", machine(name, "3.12"))) - set(
            pinned("base", machine(name, "3.12"))
        )
        assert any(package.startswith("nvidia-cudnn") for package in extra) is (name == "Linux")


def test_the_locks_are_those_that_the_folder_holds():
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == set(ASKED)


def test_the_conda_route_asks_for_the_same():
    recipe = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = next(line for line in recipe["dependencies"] if str(line).startswith("python="))
    assert python.removeprefix("python=") in PYTHONS
    [by_pip] = [part["pip"] for part in recipe["dependencies"] if isinstance(part, dict)]
    assert "-e ." in by_pip
    lines = [line for line in by_pip if not line.startswith("-")]
    asked = next(Requirement(line) for line in BASE if line.startswith("tensorflow"))
    for name in MACHINES:
        chosen = [line for line in lines if applies(line, machine(name, "3.12"))]
        [requirement] = [Requirement(line) for line in chosen]
        assert requirement.name == "tensorflow"
        assert requirement.specifier == asked.specifier
        assert requirement.extras == ({"and-cuda"} if name == "Linux" else set())


@pytest.mark.parametrize("lock", ASKED)
def test_every_python_gets_the_same_versions(lock):
    """So that a lesson prints the same on each, and a type checker sees the same stubs."""
    names = [canonicalize_name(requirement.name) for requirement, _ in entries(lock)]
    assert sorted(names) == sorted(set(names))
