"""The learner's copies of the lessons are never lost, and JupyterLab starts and ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from amaas_kit import lab
from amaas_kit.errors import DataError, MissingError, ServingError


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A kit with two lessons and a page of its own."""
    folder = tmp_path / "kit"
    (folder / "notebooks").mkdir(parents=True)
    for name in ("00_start_here", "02_backpropagation"):
        (folder / "notebooks" / f"{name}.ipynb").write_text(f"lesson {name}")
    (folder / "notebooks" / "index.md").write_text("the map")
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(lab, "KIT", folder)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_lessons_are_copied_once_and_what_is_there_stays(kit, tmp_path):
    work = tmp_path / "deep" / "work"
    assert [path.name for path in lab.copy_lessons(work)] == list(lab.lessons())
    mine = work / "00_start_here.ipynb"
    mine.write_text("my answers")
    assert lab.copy_lessons(work) == []
    assert mine.read_text() == "my answers"


def test_a_lesson_that_is_new_in_the_kit_is_added(kit, tmp_path):
    lab.copy_lessons(tmp_path / "work")
    (kit / "notebooks" / "03_gradient_descent.ipynb").write_text("new")
    [new] = lab.copy_lessons(tmp_path / "work")
    assert new.read_text() == "new"


def test_the_real_kit_has_its_lessons_in_the_order_of_the_course():
    found = list(lab.lessons())
    assert found[0] == "00_start_here.ipynb"
    assert found == sorted(found)


def test_the_real_kit_has_the_page_that_opens_first_and_the_glossary():
    assert {lab.FIRST_PAGE, "glossary.md"} <= set(lab.pages())
    assert not set(lab.pages()) & set(lab.lessons())


def test_pages_are_copied_and_copied_again_only_when_the_kit_has_new_ones(kit, tmp_path):
    work = tmp_path / "work"
    assert lab.copy_pages(work) == [work / "index.md"]
    assert lab.copy_pages(work) == []
    (kit / "notebooks" / "index.md").write_text("the new map")
    assert lab.copy_pages(work) == [work / "index.md"]
    assert (work / "index.md").read_text() == "the new map"


@pytest.mark.parametrize("notes", ["as the kit wrote them", "lost", "[1]", "not JSON"])
def test_a_page_that_the_learner_changed_is_never_replaced(kit, tmp_path, notes):
    work = tmp_path / "work"
    lab.copy_pages(work)
    (work / "index.md").write_text("my notes on the map")
    kept = tmp_path / "home" / "lab" / "pages.json"
    if notes == "lost":
        kept.unlink()
    elif notes != "as the kit wrote them":
        kept.write_text(notes)
    (kit / "notebooks" / "index.md").write_text("the new map")
    assert lab.copy_pages(work) == []
    assert (work / "index.md").read_text() == "my notes on the map"


def test_each_folder_has_its_own_pages(kit, tmp_path):
    for folder in ("monday", "tuesday"):
        lab.copy_pages(tmp_path / folder)
    (tmp_path / "monday" / "index.md").write_text("mine")
    (kit / "notebooks" / "index.md").write_text("the new map")
    assert lab.copy_pages(tmp_path / "monday") == []
    assert lab.copy_pages(tmp_path / "tuesday") == [tmp_path / "tuesday" / "index.md"]


def test_a_page_that_was_deleted_comes_back(kit, tmp_path):
    lab.copy_pages(tmp_path / "work")
    (tmp_path / "work" / "index.md").unlink()
    assert len(lab.copy_pages(tmp_path / "work")) == 1


def test_a_kit_without_lessons_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "KIT", tmp_path / "empty" / "kit")
    with pytest.raises(MissingError, match="not whole"):
        lab.lessons()
    with pytest.raises(MissingError, match="not whole"):
        lab.pages()


def test_a_folder_that_cannot_be_made(kit, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="name another folder"):
        lab.copy_lessons(tmp_path / "file" / "work")


@pytest.mark.parametrize("lesson", ["02", "02_backpropagation", "02_backpropagation.ipynb"])
def test_reset_brings_a_lesson_back_and_keeps_the_old_one(kit, tmp_path, lesson):
    work = tmp_path / "work"
    lab.copy_lessons(work)
    for answer in ("first", "second"):
        (work / "02_backpropagation.ipynb").write_text(answer)
        fresh, kept = lab.reset_lesson(lesson, work)
        assert fresh.read_text() == "lesson 02_backpropagation"
        assert kept.read_text() == answer
    assert names(work) == [
        "00_start_here.ipynb",
        "02_backpropagation-kept-1.ipynb",
        "02_backpropagation-kept-2.ipynb",
        "02_backpropagation.ipynb",
    ]


def test_reset_of_a_lesson_that_is_not_there_copies_it(kit, tmp_path):
    fresh, kept = lab.reset_lesson("00", tmp_path / "work")
    assert (fresh.read_text(), kept) == ("lesson 00_start_here", None)


def test_the_copies_are_found_from_above_their_folder_and_from_inside(kit, tmp_path, monkeypatch):
    lab.copy_lessons(tmp_path / "work")
    monkeypatch.chdir(tmp_path)
    assert lab.find_copies() == Path("work")
    monkeypatch.chdir(tmp_path / "work")
    assert lab.find_copies() == Path()


def test_the_kits_own_lessons_are_nobodys_copies(kit, monkeypatch):
    monkeypatch.chdir(kit / "notebooks")
    assert lab.find_copies() == Path("work")


@pytest.mark.parametrize("lesson", ["7", "start", "", "../02", "0", "index", "index.md"])
def test_a_lesson_that_does_not_exist(kit, tmp_path, lesson):
    with pytest.raises(DataError, match="02_backpropagation"):
        lab.reset_lesson(lesson, tmp_path / "work")


def test_a_taken_port_that_was_asked_for_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(ServingError, match=f"port {number}"):
            lab.choose_port(number)


def test_a_taken_port_that_was_not_asked_for_is_passed_over(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(lab, "PORT", server.getsockname()[1])
        assert lab.choose_port(None) > lab.PORT


def test_port_0_is_any_free_one():
    assert lab.choose_port(0) > 0


@pytest.fixture
def running(tmp_path, monkeypatch):
    """`amaas lab` in an empty folder: the process, its address and its token."""
    environment = os.environ | {"HOME": str(tmp_path), "JUPYTER_TOKEN": "secret"}
    command = [sys.executable, "-m", "amaas_kit", "lab", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        address = next((line for line in process.stdout if "http://" in line), "").split()[-1:]
        assert address, f"amaas lab gave no address; it ended with status {process.wait()}"
        yield process, "/".join(address[0].split("/")[:3])
        if process.poll() is None:
            started = [process, *psutil.Process(process.pid).children(recursive=True)]
            for one in started:
                one.kill()


def ask(address, path, token="secret", **options):
    headers = {"Authorization": f"token {token}"}
    request = urllib.request.Request(f"{address}{path}", headers=headers, **options)
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.skipif(os.name == "nt", reason="needs hardware: a system with signals")
def test_lab_asks_for_a_token_listens_on_this_machine_alone_and_ctrl_c_ends_its_kernels(running):
    process, address = running
    ask(address, "/api/status")
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(address, "/api/contents", token="wrong")
    assert refused.value.code == 403
    parent = psutil.Process(process.pid)
    listening = [c.laddr.ip for c in parent.net_connections("inet") if c.status == "LISTEN"]
    assert set(listening) == {"127.0.0.1"}
    ask(address, "/api/kernels", data=b"{}", method="POST")
    kernels = parent.children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert alive == []


def test_lab_uses_the_kits_settings_and_leaves_the_learners_alone(running, tmp_path):
    _, address = running
    settings = ask(address, "/lab/api/settings/@jupyterlab/apputils-extension:notification")
    assert json.loads(settings)["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert not list(tmp_path.glob(".jupyter/**/*.jupyterlab-settings"))
    assert not (tmp_path / ".jupyter" / "lab" / "workspaces").exists()


def test_a_folder_opens_with_the_table_of_contents_the_first_time_and_as_it_was_left_after(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    place = lab.prepare_workspace(tmp_path / "work")
    [file] = place.iterdir()
    first = json.loads(file.read_bytes())
    assert "toc" in first["data"]["layout-restorer:data"]["left"]["current"]
    first["data"]["left by"] = "the learner"
    file.write_text(json.dumps(first))
    assert lab.prepare_workspace(tmp_path / "work") == place
    assert json.loads(file.read_bytes()) == first
    assert lab.prepare_workspace(tmp_path / "other" / "work") != place


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"metadata": {}}', '{"data": {}}'])
def test_a_layout_that_cannot_be_read_gives_way_to_the_first_one(tmp_path, monkeypatch, broken):
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    [file] = lab.prepare_workspace(tmp_path / "work").iterdir()
    first = file.read_text()
    file.write_text(broken)
    lab.prepare_workspace(tmp_path / "work")
    assert json.loads(file.read_text())["data"] == json.loads(first)["data"]


def test_an_own_folder_that_cannot_be_made_is_said(kit, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "lab").touch()
    for prepare in (lab.copy_pages, lab.prepare_workspace):
        with pytest.raises(DataError, match="AMAAS_HOME"):
            prepare(tmp_path / "work")


def test_pages_copied_by_many_at_once_are_all_noted(kit, tmp_path):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lab.copy_pages, [tmp_path / f"work-{n}" for n in range(16)]))
    noted = json.loads((tmp_path / "home" / "lab" / lab.PAGE_NOTES).read_bytes())
    assert len(noted) == 16


def test_a_copy_that_cannot_be_moved_away_leaves_nothing(kit, tmp_path, monkeypatch):
    lab.copy_lessons(tmp_path / "work")
    before = names(tmp_path / "work")

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        lab.reset_lesson("02", tmp_path / "work")
    assert names(tmp_path / "work") == before
