"""serve: real servers, how they end, and what is said when they cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from amaas_kit import files
from amaas_kit.errors import ServingError
from amaas_kit.network import Network
from amaas_kit.serving import (
    Client,
    Server,
    card,
    package,
    running,
    serve,
    server,
    stop_all,
    store,
)

ROWS = np.random.default_rng(0).random((3, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def nets() -> dict[str, Network]:
    """Two packaged networks, by their tags."""
    made = {}
    for seed, name in ((1, "first"), (2, "second")):
        net = Network([4, 8, 1], seed=seed)
        made[package(net, name)] = net
    return made


def answers_as(client: Client, net: Network) -> bool:
    prediction = client.predict(ROWS)
    return np.allclose(prediction.values, net.forward(ROWS)[:, 0], atol=1e-6)


def is_closed(port: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.1)
    return False


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that nobody has waited for yet does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_end(processes: list[psutil.Process], within: float) -> bool:
    deadline = time.monotonic() + within
    while any(map(is_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def parent(tags: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that serves these Bentos, says where, and ends when it reads a line."""
    program = textwrap.dedent(
        f"""
        import json, sys
        from amaas_kit.serving import serve
        servers = [serve(tag) for tag in {tags}]
        print(json.dumps([server.url for server in servers]), flush=True)
        sys.stdin.readline()
        """
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as process:
        yield process
        process.kill()


def started(parent: subprocess.Popen[str]) -> tuple[list[str], list[psutil.Process]]:
    """Where the servers of a parent answer, and all processes below it."""
    urls = json.loads(parent.stdout.readline())
    below = psutil.Process(parent.pid).children(recursive=True)
    assert len(below) >= 2 * len(urls)
    return urls, below


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_two_servers_at_once_end_with_a_parent_that_is_killed(nets):
    with parent(list(nets)) as process:
        urls, below = started(process)
        for url, (tag, net) in zip(urls, nets.items(), strict=True):
            assert answers_as(Client(url), net)
            assert Client(url).card()["name"] == tag.partition(":")[0]
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        assert all(is_closed(port_of(url), within=8) for url in urls)
        assert all_end(below, within=8)
    assert running.servers() == [], "and nobody believes that they are running"


def test_a_server_ends_with_a_parent_that_forgets_it(nets):
    with parent(list(nets)[:1]) as process:
        urls, below = started(process)
        process.communicate("end\n", timeout=30)
        assert process.returncode == 0
        assert not any(map(is_alive, below)), "it was stopped before its parent ended"
    assert is_closed(port_of(urls[0]), within=0.5)
    assert list((files.home() / "servers").iterdir()) == []


def test_a_server_from_its_start_to_its_end(nets):
    tag, net = next(iter(nets.items()))
    name = tag.partition(":")[0]
    with serve(name) as running_server:
        assert (running_server.tag, running_server.running) == (tag, True)
        assert running_server.url == f"http://127.0.0.1:{running_server.port}"
        client = Client(running_server)
        assert client.health()
        assert answers_as(client, net)
        assert client.contract().features == 4

        assert running.tags_in_use(store.folder()) == {tag}
        for _ in range(store.KEPT_VERSIONS + 1):
            package(net, name)
        assert store.find(tag)[0] == tag, "the Bento under a server is not cleared away"
        assert answers_as(client, net)

        with pytest.raises(ServingError) as taken:
            serve(tag, port=running_server.port)
        assert f"port {running_server.port}" in taken.value.seen
        free = int(taken.value.fix.partition("port ")[2].partition(",")[0])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", free))

        below = psutil.Process(running_server._process.pid).children(recursive=True)
        assert "Service" in running_server.log.read_text()
    assert is_closed(running_server.port, within=1)
    assert all_end(below, within=1)
    assert running.servers() == []
    assert not running_server.running
    running_server.stop()
    assert "stopped" in repr(running_server)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no process groups to interrupt")
def test_a_worker_that_hangs_is_ended_by_force(nets, monkeypatch):
    monkeypatch.setattr(server, "STOP_SECONDS", 0.5)
    with serve(next(iter(nets))) as hung:
        below = psutil.Process(hung._process.pid).children(recursive=True)
        for process in [psutil.Process(hung._process.pid), *below]:
            process.suspend()
    assert all_end(below, within=1)
    assert is_closed(hung.port, within=1)


def test_stop_ends_the_workers_of_a_server_that_was_killed(nets):
    with serve(next(iter(nets))) as killed:
        below = psutil.Process(killed._process.pid).children(recursive=True)
        killed._process.kill()
        killed.wait()
        assert any(map(is_alive, below)), "nobody told them"
    assert all_end(below, within=1)
    assert is_closed(killed.port, within=1)


def test_stop_all_ends_also_a_server_whose_name_was_given_to_another(nets):
    ports = []
    for tag in nets:
        latest = serve(tag)
        ports.append(latest.port)
    stop_all()
    assert all(is_closed(port, within=1) for port in ports)
    assert not latest.running
    assert running.servers() == []
    stop_all()


def test_a_store_that_is_named_from_the_folder_of_the_caller(nets, monkeypatch):
    tag, net = next(iter(nets.items()))
    monkeypatch.chdir(store.folder().parent)
    monkeypatch.setenv("BENTOML_HOME", store.folder().name)
    with serve(tag) as named:
        assert answers_as(Client(named), net)


def test_a_folder_for_logs_that_cannot_be_had_is_named(nets, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "file"))
    with pytest.raises(ServingError, match="AMAAS_HOME") as failed:
        serve(next(iter(nets)))
    assert str(tmp_path / "file") in failed.value.seen


def test_a_model_that_cannot_be_loaded_is_told_from_the_log(nets):
    tag = package(Network([4, 1], seed=0), "damaged")
    model = store.folder() / "models" / "damaged" / "1"
    pb = model / "saved_model" / "saved_model.pb"
    pb.write_bytes(pb.read_bytes()[:99])
    with pytest.raises(ServingError) as failed:
        serve(tag)
    assert "ended while it was starting" in failed.value.wrong
    assert "not as it was packaged" in failed.value.seen

    # A whole model that TensorFlow cannot read: only the worker finds out.
    written = json.loads((model / store.CARD_FILE).read_text())
    written["sha256"] = card.checksum(model / "saved_model")
    (model / store.CARD_FILE).write_text(json.dumps(written))
    with pytest.raises(ServingError) as failed:
        serve(tag)
    assert "ended while it was starting" in failed.value.wrong
    assert "saved_model.pb" in failed.value.seen
    assert running.servers() == []


def test_a_server_that_is_not_ready_in_time_is_ended(nets):
    with pytest.raises(ServingError, match="not ready after 1 s"):
        serve(next(iter(nets)), timeout=1)
    assert running.servers() == []


def test_an_interruption_while_starting_leaves_no_server(nets, monkeypatch):
    def interrupted(self, timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "_wait_until_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        serve(next(iter(nets)))
    assert running.servers() == []


def test_a_bento_that_is_not_there(nets):
    with pytest.raises(ServingError, match="first:"):
        serve("nothing")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"host": "no-such-host.invalid"}, "no such address"),
        ({"host": "192.0.2.1"}, "no such address"),
        ({"port": 70000}, "65535"),
        ({"port": -1}, "65535"),
        ({"port": "3000"}, "65535"),
    ],
)
def test_an_address_that_cannot_be_had(nets, address, said):
    with pytest.raises(ServingError, match=said):
        serve(next(iter(nets)), **address)


def test_a_taken_port_names_a_free_one(nets):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServingError, match=f"port {port}") as taken:
            serve(next(iter(nets)), port=port)
    assert "which is free" in taken.value.fix
