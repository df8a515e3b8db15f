"""The store: versions, what is cleared away, and what a process that dies leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from amaas_kit import files
from amaas_kit.errors import ServingError
from amaas_kit.serving import running, store


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "amaas"))


def put(name: str, version: object, ours: bool = True, model: str | None = None) -> None:
    """A Bento and its model, as far as the store looks at them."""
    tag = f"{name}:{version}"
    bento = store.folder() / "bentos" / name / str(version)
    bento.mkdir(parents=True)
    (bento / "bento.yaml").write_text(
        f"services:\n- models:\n  - tag: {model or tag}\n    module: ''\n"
    )
    if model is None:
        put_model(name, version, ours)


def put_model(name: str, version: object, ours: bool = True) -> None:
    folder = store.folder() / "models" / name / str(version)
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text("")
    if ours:
        (folder / store.CARD_FILE).write_text("{}")


def present(kind: str, name: str) -> list[str]:
    return sorted(path.name for path in (store.folder() / kind / name).glob("*/"))


@pytest.mark.parametrize("name", ["digits", "a", "house-prices", "v1.2_x", "1", "a" * 63])
def test_names_that_make_a_tag(name):
    store.check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "Digits", "my model", "a:b", "-a", "a-", "a/b", "../a", "zahl\u00e9", "a" * 64, "a\n"],
)
def test_names_that_make_none(name):
    with pytest.raises(ServingError, match="name"):
        store.check_name(name)


def test_the_store_is_found_from_every_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENTOML_HOME", "mine")
    assert store.folder() == tmp_path / "mine"
    monkeypatch.setenv("BENTOML_HOME", "~/mine")
    assert store.folder() == Path.home() / "mine"


def test_versions_count_up_by_name_over_bentos_and_models():
    assert store.next_version("digits") == 1
    put("digits", 2)
    put_model("digits", 5)
    put("digits", "abc123")
    put("digits-2", 9)
    assert store.next_version("digits") == 6
    assert store.next_version("digits-2") == 10


def test_find_takes_a_whole_tag_or_the_newest():
    for version in (1, 2, 10):
        put("digits", version)
    assert store.find("digits") == ("digits:10", store.folder() / "bentos" / "digits" / "10")
    assert store.find("digits:latest")[0] == "digits:10"
    assert store.find("digits:2")[0] == "digits:2"
    (store.folder() / "bentos" / "digits" / "latest").write_text("2")
    assert store.find("digits")[0] == "digits:2", "what BentoML calls the latest counts"
    (store.folder() / "bentos" / "digits" / "latest").write_text("77")
    assert store.find("digits")[0] == "digits:10"


@pytest.mark.parametrize(
    "tag",
    ["other", "digits:2", "digits:latest:1", "", ":1", "../bentos/digits:1", "digits:../digits/1"],
)
def test_a_bento_that_is_not_there_is_named_beside_those_that_are(tag):
    put("digits", 1)
    with pytest.raises(ServingError, match="digits:1"):
        store.find(tag)


def test_the_last_five_stay():
    for version in range(1, 13):
        put("digits", version)
    put("other", 1)
    store.prune("digits", in_use=())
    assert present("bentos", "digits") == ["10", "11", "12", "8", "9"]
    assert present("models", "digits") == ["10", "11", "12", "8", "9"]
    assert present("bentos", "other") == ["1"]


def test_what_is_in_use_stays_with_its_model():
    for version in range(1, 8):
        put("digits", version)
    store.prune("digits", in_use={"digits:1"})
    assert present("bentos", "digits") == ["1", "3", "4", "5", "6", "7"]
    assert present("models", "digits") == ["1", "3", "4", "5", "6", "7"]


def test_what_others_made_stays():
    for version in range(1, 8):
        put("digits", version, ours=version != 2)
    put("digits", "handmade", model="digits:1")
    put_model("digits", 99, ours=False)
    store.prune("digits", in_use=())
    assert present("bentos", "digits") == ["2", "3", "4", "5", "6", "7", "handmade"]
    assert present("models", "digits") == ["1", "2", "3", "4", "5", "6", "7", "99"]


def test_a_model_that_lost_its_bento_goes():
    put_model("digits", 1)
    put("digits", 2)
    store.prune("digits", in_use=())
    assert present("models", "digits") == ["2"]


def build(work: Path, name: str, version: int, kinds=("models", "bentos")) -> Path:
    for kind in kinds:
        folder = work / "store" / kind / name / str(version)
        folder.mkdir(parents=True)
        (folder / "file").write_text("content")
    return work / "store"


def test_a_finished_build_is_taken_in_whole():
    with store.workshop() as work:
        store.adopt(build(work, "digits", 1), "digits", 1)
    for kind in ("models", "bentos"):
        assert (store.folder() / kind / "digits" / "1" / "file").read_text() == "content"
        assert (store.folder() / kind / "digits" / "latest").read_text() == "1"
    assert not work.exists()


def test_half_a_build_is_not_taken_in():
    put("digits", 1)
    with pytest.raises(OSError), store.workshop() as work:  # noqa: PT011 - any failure will do
        store.adopt(build(work, "digits", 2, kinds=("models",)), "digits", 2)
    assert present("models", "digits") == ["1"]
    assert present("bentos", "digits") == ["1"]
    assert store.find("digits")[0] == "digits:1"


def test_two_processes_take_turns_in_the_workshop(tmp_path):
    program = textwrap.dedent(
        """
        import sys, time
        from amaas_kit.serving import store
        with store.workshop() as work:
            version = store.next_version("digits")
            time.sleep(0.2)
            for kind in store.KINDS:
                (work / "store" / kind / "digits" / str(version)).mkdir(parents=True)
            store.adopt(work / "store", "digits", version)
            print(version)
        """
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in processes) == list(
        "123"
    )


def test_a_process_that_never_finishes_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(store, "WAIT_SECONDS", 0.2)
    with (
        store.workshop(),
        pytest.raises(ServingError, match="another process"),
        store.workshop(),
    ):
        pass
    with store.workshop():
        pass


def test_a_killed_process_leaves_neither_lock_nor_folder():
    program = "import os\nfrom amaas_kit.serving import store\nwith store.workshop() as work:\n"
    program += "    (work / 'half').mkdir()\n    os.kill(os.getpid(), 9)\n"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode != 0
    with store.workshop() as work:
        assert list(work.iterdir()) == []


def test_what_a_killed_process_still_writes_is_in_nobodys_way():
    with store.workshop() as first:
        pass
    with store.workshop() as second:
        first.mkdir()
        (first / "late").write_text("")
        assert list(second.iterdir()) == []
    assert not first.exists()


def this_process(**change) -> running.Running:
    facts = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "tag": "digits:3",
        "store": str(store.folder()),
        "url": "http://127.0.0.1:1",
    }
    return running.Running(**(facts | change))


def test_running_servers_are_known_by_their_process():
    server = this_process()
    path = running.record(server)
    assert running.servers() == [server]
    assert running.tags_in_use(store.folder()) == {"digits:3"}
    assert running.tags_in_use(Path("elsewhere")) == set()
    path.unlink()
    assert running.servers() == []


@pytest.mark.parametrize("change", [{"started": 1.0}, {"pid": 2**22 + 1}])
def test_records_of_servers_that_are_gone_are_removed(change):
    path = running.record(this_process(**change))
    assert running.servers() == []
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_damaged_records_are_removed(content):
    folder = files.home() / "servers"
    folder.mkdir()
    (folder / "1.json").write_text(content)
    assert running.servers() == []
    assert list(folder.iterdir()) == []
