"""What `make test` says at its end, and what it makes of a test that was skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

TESTS = """
import pytest

def test_well():
    pass

def test_without_a_program():
    pytest.skip({reason!r})
"""


def run(folder: Path, reason: str, ci: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run two tests in a project that has this project's conftest.py."""
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for place in ("tests/network", "tests/browser"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        name = f"test_{place.replace('/', '_')}.py"
        (folder / place / name).write_text(TESTS.format(reason=reason))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "AMAAS_"))}
    # The plugins of this environment take longer to load than the two tests to run.
    environment |= {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2", "--dist", "loadfile")])
def test_the_table_counts_by_kind_and_pytests_own_line_comes_last(tmp_path, options):
    lines = run(tmp_path, "needs a program", "false", *options).stdout.rstrip().splitlines()
    table = [line.split()[:4] for line in lines if line.startswith(("unit ", "browser "))]
    assert table == [["unit", "1", "0", "1"], ["browser", "1", "0", "1"]]
    assert "2 passed, 2 skipped" in lines[-1]


TIMED = """
def test_first(record_property):
    record_property("view first paint", {"view": "Explorer", "ms": 300})
    for ms in (40, 60, 90):
        record_property("view update", {"view": "Explorer", "ms": ms})

def test_second(record_property):
    record_property("view update", {"view": "Another", "ms": 70})
"""


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2", "--dist", "loadfile")])
def test_times_of_views_are_shown_middle_longest_and_how_many(tmp_path, options):
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    (tmp_path / "tests" / "browser" / "test_timed.py").write_text(TIMED)
    lines = run(tmp_path, "needs a program", "false", *options).stdout.splitlines()
    [title] = [at for at, line in enumerate(lines) if "views: first paint / update, ms" in line]
    rows = [" ".join(line.split()) for line in lines[title + 2 : title + 4]]
    assert rows == ["Another - 70 (70, 1)", "Explorer 300 (300, 1) 60 (90, 3)"]


@pytest.mark.parametrize(
    ("reason", "ci", "status"),
    [
        ("needs a program", "false", 0),
        ("needs a program", "true", 1),
        ("needs hardware: a GPU", "true", 0),
    ],
)
def test_in_ci_a_test_skipped_for_want_of_a_program_has_failed(tmp_path, reason, ci, status):
    done = run(tmp_path, reason, ci)
    assert done.returncode == status
    assert ("nothing may be skipped" in done.stdout) is (status == 1)
