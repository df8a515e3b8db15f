"""A file that is held against others."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from amaas_kit import files


def test_one_holds_it_and_the_other_waits(tmp_path):
    path = tmp_path / "lock"
    order = []

    def second():
        with files.locked(path, 10):
            order.append("second")

    with files.locked(path, 0):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_waiting_has_an_end(tmp_path):
    path = tmp_path / "lock"
    with (
        files.locked(path, 0),
        pytest.raises(TimeoutError, match="held by another"),
        files.locked(path, 0.2),
    ):
        pass
    with files.locked(path, 0):
        pass


def test_an_error_inside_lets_it_go(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), files.locked(path, 0):
        raise ZeroDivisionError
    with files.locked(path, 0):
        pass


def test_a_process_that_ends_lets_it_go(tmp_path):
    path = tmp_path / "lock"
    program = (
        "import os, sys; from amaas_kit import files; "
        "held = files.locked(sys.argv[1], 0); held.__enter__(); print('held', flush=True); "
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError), files.locked(path, 0.1):
            pass
        process.kill()
        process.wait()
        with files.locked(path, 5):
            pass
