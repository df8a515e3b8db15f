"""A file that is held against others, and one that is written whole."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


def test_one_that_is_held_is_refused_at_once_until_it_is_let_go(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    first = files.hold(path)
    assert first is not None
    assert files.hold(path) is None
    first.close()
    second = files.hold(path)
    assert second is not None
    second.close()


def test_one_that_does_not_exist_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.hold(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs a system with a umask")
def test_a_written_file_has_the_permissions_of_any_other_and_changes_those_of_none(tmp_path):
    def write(number):
        files.write_whole(tmp_path / f"whole-{number}", lambda file: file.write(b"x"))
        (tmp_path / f"plain-{number}").touch()

    before = sys.getswitchinterval()
    mask = os.umask(0o027)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(write, range(200)))
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}
        assert os.umask(mask) == 0o027
    finally:
        sys.setswitchinterval(before)
        os.umask(mask)


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        files.write_whole(path, lambda file: file.write(b"new") / 0)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
