"""Parts appear whole or not at all, whatever ends the process, and strangers' files stay."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from amaas_kit import files
from amaas_kit.errors import DataError, EngineError
from amaas_kit.partition import Part, Plan, manifest, staging
from amaas_kit.partition.manifest import File, Manifest, Source
from amaas_kit.partition.staging import place, recover


def write_manifest(folder, *paths):
    """The manifest of a partition of these files, one a part."""
    parts = [
        Part(number, number, None, 1, 3, "0" * 16, None, (File(path, 3),))
        for number, path in enumerate(paths)
    ]
    plan, schema = Plan.hash("k", len(parts)), pl.Schema({"k": pl.Int64()})
    source = Source("table.parquet", "parquet", 1)
    facts = Manifest(plan, source, schema, "local", {}, (), 1, "0" * 16, tuple(parts))
    return manifest.write(facts, folder)


def write(data, *texts):
    files = [f"part={number}/0.parquet" for number, _ in enumerate(texts or ["new"])]
    for file, text in zip(files, texts or ["new"], strict=True):
        (data / file).parent.mkdir()
        (data / file).write_text(text)
    write_manifest(data, *files)


def partition(target, text="old"):
    target.mkdir()
    write(target, text)
    return target


def placed(target, replace, fill):
    """Place what a function writes, which may raise."""
    with place(target, replace) as stage:
        fill(stage)


def content(target):
    return (target / "part=0" / "0.parquet").read_text()


def test_a_folder_has_its_place_only_when_it_is_whole(tmp_path):
    target = tmp_path / "out"
    with place(target) as stage:
        (stage.scratch / "spill").write_text("x")
        write(stage.data)
        assert not target.exists()
        assert {stage.data.parent, stage.scratch.parent} == {stage.root}
        assert stage.root.parent == tmp_path
        assert stage.root.name.startswith(".out.")
    assert content(target) == "new"
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "part=0"]
    assert list(tmp_path.iterdir()) == [target]


def test_folders_above_the_target_are_made(tmp_path):
    with place(tmp_path / "a" / "b" / "out") as stage:
        write(stage.data)
    assert content(tmp_path / "a" / "b" / "out") == "new"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, EngineError])
@pytest.mark.parametrize("replace", [False, True])
def test_an_error_leaves_the_target_as_it_was(error, replace, tmp_path):
    target = tmp_path / "out"
    if replace:
        partition(target)
    reason = error("a", "b", "c", "d")

    def fill(stage):
        write(stage.data)
        raise reason

    with pytest.raises(error) as caught:
        placed(target, replace, fill)
    assert caught.value is reason
    assert target.exists() == replace
    assert not replace or content(target) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"] * replace


def test_threads_that_write_on_after_ctrl_c_leave_nothing(tmp_path):
    threads = []

    def write_late(stage):
        while stage.data.exists():
            time.sleep(0.001)
        stage.data.joinpath("part=7").mkdir(parents=True)
        stage.data.joinpath("part=7", "0.parquet").write_text("late")

    def fill(stage):
        threads.append(threading.Thread(target=write_late, args=[stage]))
        threads[0].start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        placed(tmp_path / "out", False, fill)
    threads[0].join()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_its_manifest_is_not_placed(tmp_path):
    with pytest.raises(RuntimeError, match="manifest"), place(tmp_path / "out") as stage:
        (stage.data / "part=0").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_there_is_refused_before_anything_is_written(tmp_path):
    target = partition(tmp_path / "out")
    with pytest.raises(DataError, match="--force") as caught, place(target):
        pytest.fail("the block must not run")
    assert str(target) in str(caught.value)
    assert "replace=True" in caught.value.fix
    assert content(target) == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_target_that_is_replaced_is_there_until_the_new_one_is_whole(tmp_path):
    target = partition(tmp_path / "out")
    (target / ".DS_Store").touch()
    (target / "part=0" / "Thumbs.db").touch()
    with place(target, replace=True) as stage:
        write(stage.data)
        assert content(target) == "old"
    assert content(target) == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("replace", [False, True])
def test_an_empty_folder_becomes_the_target(replace, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with place(target, replace) as stage:
        write(stage.data)
    assert content(target) == "new"
    assert list(tmp_path.iterdir()) == [target]


def strange_file(target):
    target.write_text("mine")
    return target


def strange_folder(target):
    target.mkdir()
    return strange_file(target / "notes.txt")


def strange_manifest(target):
    target.mkdir()
    (target / "manifest.json").write_text('{"name": "a browser extension"}')
    return strange_file(target / "icon.png")


def strange_guest(target):
    partition(target)
    return strange_file(target / "notes.txt")


def strange_guest_in_a_part(target):
    partition(target)
    return strange_file(target / "part=0" / "notes.txt")


def strange_part(target):
    partition(target)
    (target / "part=mine").mkdir()
    return strange_file(target / "part=mine" / "x")


def strange_manifest_that_names_the_kit(target):
    target.mkdir()
    (target / "manifest.json").write_text('{"x": "amaas-kit parts"}')
    (target / "part=thesis").mkdir()
    return strange_file(target / "part=thesis" / "t")


STRANGERS = [
    strange_file,
    strange_folder,
    strange_manifest,
    strange_guest,
    strange_guest_in_a_part,
    strange_part,
    strange_manifest_that_names_the_kit,
]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("make", STRANGERS, ids=lambda make: make.__name__)
def test_what_others_put_there_is_never_removed(make, replace, tmp_path):
    mine = make(tmp_path / "out")
    with pytest.raises(DataError, match="out") as caught, place(tmp_path / "out", replace):
        pytest.fail("the block must not run")
    assert "remove it yourself" in caught.value.fix
    assert mine.read_text() == "mine"


def test_a_stranger_s_file_among_the_parts_is_named(tmp_path):
    strange_guest_in_a_part(tmp_path / "out")
    with pytest.raises(DataError, match="part=0/notes"), place(tmp_path / "out", replace=True):
        pytest.fail("the block must not run")


@pytest.mark.parametrize("replace", [False, True])
def test_a_partition_with_a_damaged_manifest_stays_and_the_way_out_is_named(replace, tmp_path):
    target = partition(tmp_path / "out")
    whole = (target / "manifest.json").read_text()
    (target / "manifest.json").write_text(whole[:-9])
    with pytest.raises(DataError, match="damaged") as caught, place(target, replace):
        pytest.fail("the block must not run")
    assert "move what is there elsewhere or remove it yourself" in caught.value.fix
    assert content(target) == "old"


def test_a_partition_that_lost_a_file_gives_way(tmp_path):
    target = partition(tmp_path / "out")
    (target / "part=0" / "0.parquet").unlink()
    with place(target, replace=True) as stage:
        write(stage.data)
    assert content(target) == "new"


def test_what_others_put_there_meanwhile_is_not_removed_either(tmp_path):
    target = tmp_path / "out"

    def fill(stage):
        write(stage.data)
        strange_folder(target)

    with pytest.raises(DataError, match="notes"):
        placed(target, True, fill)
    assert (target / "notes.txt").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_link_leads_to_the_folder_that_is_replaced(tmp_path):
    target = partition(tmp_path / "real")
    link = tmp_path / "out"
    link.symlink_to(target, target_is_directory=True)
    with place(link, replace=True) as stage:
        write(stage.data)
    assert link.is_symlink()
    assert content(target) == "new"


@pytest.mark.parametrize("target", [".", "..", "../d"])
def test_the_working_folder_is_not_replaced(target, tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path / "d")
    with pytest.raises(DataError, match="working folder") as caught, place(target):
        pytest.fail("the block must not run")
    assert "inside the working folder" in caught.value.fix
    assert list(tmp_path.rglob("*")) == [tmp_path / "d"]


def test_folders_that_were_made_go_with_a_run_that_fails(tmp_path):
    (tmp_path / "kept").mkdir()
    target = tmp_path / "kept" / "a" / "b" / "out"
    with pytest.raises(ZeroDivisionError), place(target):
        raise ZeroDivisionError
    with pytest.raises(DataError, match="too long"), place(target.with_name("y" * 256)):
        pytest.fail("the block must not run")
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


def test_a_target_may_have_any_name_that_the_system_allows(tmp_path):
    for name in ("y" * 255, "é" * 127, "y" * 254 + "z"):
        with place(tmp_path / name) as stage:
            write(stage.data)
        assert content(tmp_path / name) == "new"


def test_what_a_kill_left_of_a_target_with_a_long_name_is_found(tmp_path):
    first, second = tmp_path / f"{'y' * 250}a", tmp_path / f"{'y' * 250}b"
    ended(started("between the renames", partition(first)))
    recover(second)
    assert not second.exists()
    assert not first.exists()
    recover(first)
    assert content(first) == "old"
    assert list(tmp_path.iterdir()) == [first]


# What kills leave behind.

CHILD = """
import os, sys
from pathlib import Path
from amaas_kit.partition import staging

step, target = sys.argv[1], Path(sys.argv[2])

def die(*arguments):
    print("reached", flush=True)
    sys.stdin.read()

def after(function):
    def call(*arguments):
        function(*arguments)
        die()
    return call

if step == "before the first rename":
    staging._put = die
if step == "between the renames":
    staging._move_away = after(staging._move_away)
if step == "after the second rename":
    staging._put = after(staging._put)
with staging.place(target, replace=True) as stage:
    (stage.scratch / "spill").write_text("x")
    (stage.data / "part=0").mkdir()
    (stage.data / "part=0" / "0.parquet").write_text("new")
    if step == "while writing":
        die()
    (stage.data / "manifest.json").write_text(sys.argv[3])
"""

STEPS = {
    "while writing": "old",
    "before the first rename": "old",
    "between the renames": "old",
    "after the second rename": "new",
}


def started(step, target):
    with tempfile.TemporaryDirectory() as room:
        text = write_manifest(Path(room), "part=0/0.parquet").read_text()
    command = [sys.executable, "-c", CHILD, step, str(target), text]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "reached\n"
    return child


def ended(child):
    child.kill()
    child.communicate()


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_leaves_the_old_parts_or_the_new_ones(step, tmp_path):
    target = partition(tmp_path / "out")
    ended(started(step, target))
    recover(target)
    assert content(target) == STEPS[step]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", STEPS)
def test_nothing_of_a_process_that_lives_is_touched(step, tmp_path):
    target = partition(tmp_path / "out")
    child = started(step, target)
    try:
        before = sorted(tmp_path.rglob("*"))
        recover(target)
        assert sorted(tmp_path.rglob("*")) == before
    finally:
        ended(child)


def test_the_next_run_clears_away_what_a_kill_left(tmp_path):
    target = tmp_path / "out"
    ended(started("while writing", target))
    assert len(list(tmp_path.iterdir())) == 1
    with place(target) as stage:
        write(stage.data)
        assert sorted(tmp_path.iterdir()) == [stage.root]
    assert list(tmp_path.iterdir()) == [target]


def test_leavings_of_targets_with_names_alike_stay(tmp_path):
    ended(started("while writing", tmp_path / "out.b"))
    before = sorted(tmp_path.rglob("*"))
    recover(tmp_path / "out")
    recover(tmp_path / "b")
    assert sorted(tmp_path.rglob("*")) == before
    recover(tmp_path / "out.b")
    assert list(tmp_path.iterdir()) == []


def test_old_parts_that_were_being_removed_do_not_come_back(tmp_path):
    """Half of them may be gone already."""
    root = tmp_path / f"{staging._beginning(tmp_path / 'out')}{'0' * 16}.cutting"
    root.mkdir()
    (root / staging.LOCK).touch()
    partition(root / staging.GONE)
    recover(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [[], ["scratch"]])
def test_what_an_engine_wrote_after_all_was_cleared_away_goes_too(content, tmp_path):
    root = tmp_path / f"{staging._beginning(tmp_path / 'out')}{'0' * 16}.cutting"
    root.mkdir()
    for name in content:
        (root / name).mkdir()
        (root / name / "spill").write_text("x")
    recover(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_one_that_another_clears_away_as_it_is_made_is_made_anew(tmp_path, monkeypatch):
    taken = []

    def hold(path):
        if not taken:
            taken.append(path)
            path.unlink()
            path.parent.rmdir()
        return real(path)

    real = files.hold
    monkeypatch.setattr(files, "hold", hold)
    with place(tmp_path / "out") as stage:
        assert stage.root != taken[0].parent
        write(stage.data)
    assert content(tmp_path / "out") == "new"


# Several at once.


def test_the_second_of_two_that_may_not_replace_is_refused(tmp_path):
    target = tmp_path / "out"

    def fill_slowly(slow):
        write(slow.data, "slow")
        placed(target, False, lambda fast: write(fast.data, "fast"))

    with pytest.raises(DataError, match="already there"):
        placed(target, False, fill_slowly)
    assert content(target) == "fast"
    assert list(tmp_path.iterdir()) == [target]


def test_the_last_of_two_that_may_replace_keeps_the_place(tmp_path):
    target = partition(tmp_path / "out")
    with place(target, replace=True) as slow:
        write(slow.data, "slow")
        with place(target, replace=True) as fast:
            write(fast.data, "fast")
        assert content(target) == "fast"
    assert content(target) == "slow"
    assert list(tmp_path.iterdir()) == [target]


def test_many_that_replace_at_once_leave_one_whole_partition(tmp_path):
    target = partition(tmp_path / "out")
    together = threading.Barrier(4)

    def one(name):
        for _ in range(10):
            with place(target, replace=True) as stage:
                write(stage.data, name, name)
                together.wait(60)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, "abcd"))
    assert content(target) == (target / "part=1" / "0.parquet").read_text()
    assert list(tmp_path.iterdir()) == [target]


# What a system says.


class JavaError(Exception):
    pass


def engine_error():
    return EngineError("While cutting", "java.io.IOException: No space left on device", "x", "y")


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    pl.exceptions.ComputeError("No space left on device (os error 28)"),
    JavaError("java.io.IOException: No space left on device\n\tat sun.nio.ch"),
    engine_error(),
]


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_full_disk_is_named_with_what_is_left(error, tmp_path):
    def fill(stage):
        (stage.data / "half").write_bytes(b"x" * 5000)
        raise error

    with pytest.raises(DataError) as caught:
        placed(tmp_path / "out", False, fill)
    assert str(tmp_path / "out") in caught.value.situation
    assert "disk is full" in caught.value.wrong
    assert "5,000 bytes of this partition" in caught.value.seen
    assert caught.value.__cause__ is error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_behind_another_error_is_seen(tmp_path):
    def fail():
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise ValueError("the engine ended") from error

    with pytest.raises(DataError, match="disk is full"), place(tmp_path / "out"):
        fail()


def test_a_refusal_of_the_system_names_the_target_and_the_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError) as caught, place(tmp_path / "file" / "out"):
        pytest.fail("the block must not run")
    assert "file" in caught.value.seen
    assert str(tmp_path / "file" / "out") in caught.value.situation


def test_a_connection_that_breaks_is_no_matter_of_files(tmp_path):
    with pytest.raises(ConnectionRefusedError), place(tmp_path / "out"):
        raise ConnectionRefusedError


def test_a_process_that_ends_may_write_a_little_longer(tmp_path, monkeypatch):
    """As a virtual machine that was told to stop does."""
    tries = []

    def rmtree(path):
        tries.append(path)
        if len(tries) < 3:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        real(path)

    real = staging.shutil.rmtree
    monkeypatch.setattr(staging.shutil, "rmtree", rmtree)
    monkeypatch.setattr(staging.time, "sleep", lambda seconds: None)
    with place(tmp_path / "out") as stage:
        (stage.scratch / "spill").write_text("x")
        write(stage.data)
    assert len(tries) >= 3
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
