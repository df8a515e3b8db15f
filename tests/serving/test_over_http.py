"""A served model over HTTP: every bad request, drawn bodies, good beside bad, other pages."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from amaas_kit.errors import RequestError
from amaas_kit.network import Network
from amaas_kit.serving import Client, Contract, Server, package, serve, store

RNG = np.random.default_rng(1)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def net() -> Network:
    return Network([64, 32, 10], seed=4)


@pytest.fixture(scope="module")
def server(net: Network) -> Iterator[Server]:
    contract = Contract(64, "classification", minimum=0.0, maximum=1.0)
    with serve(package(net, "digits", contract=contract)) as running:
        yield running


Ask = Callable[..., tuple[int, bytes]]


@pytest.fixture(scope="module")
def ask(server: Server) -> Ask:
    """Send a request, and look that its answer gives nothing away."""
    secrets = [str(store.folder()), str(Path.home()), "site-packages", "Traceback", '.py"', "/tmp"]

    def send(body=None, headers=JSON, path="/predict", method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        for secret in secrets:
            assert secret.encode() not in text
        return response.status, text

    return send


def refusal(answer: tuple[int, bytes]) -> tuple[int, dict[str, str]]:
    status, text = answer
    said = json.loads(text)
    assert set(said) == {"error", "fix"}
    return status, said


def probabilities(net: Network, rows: np.ndarray) -> np.ndarray:
    z = net.forward(rows.astype(np.float32)).astype(np.float64)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def right(answer: tuple[int, bytes], net: Network, rows: np.ndarray) -> bool:
    status, text = answer
    said = json.loads(text)
    expected = probabilities(net, rows)
    return (
        status == 200
        and said["labels"] == expected.argmax(axis=1).tolist()
        and np.allclose(said["probabilities"], expected, atol=1e-6)
        and (said["model"], said["version"]) == ("digits", "1")
        and set(said) == {"labels", "probabilities", "model", "version"}
    )


def as_body(rows: np.ndarray) -> bytes:
    return json.dumps({"x": rows.tolist()}).encode()


@pytest.mark.parametrize("rows", [1, 2, 1024])
def test_good_rows_are_answered_as_the_model_does(ask, net, rows):
    x = RNG.random((rows, 64)).astype(np.float32)
    assert right(ask(as_body(x)), net, x)


def test_whole_numbers_and_the_ends_of_the_range_are_good(ask, net):
    x = np.tile([0, 1], (1, 32))
    assert right(ask(as_body(x)), net, x)


def test_a_bad_request_is_refused(ask, bad_request):
    body, said = bad_request
    status, answer = refusal(ask(body))
    assert status == 400
    assert said in f"{answer['error']} {answer['fix']}"


def test_drawn_bodies_are_answered_or_refused_as_a_slow_judge_says(ask, drawn_bodies, is_good):
    seen = {True: 0, False: 0}

    @settings(settings.get_profile("serving"))
    @given(drawn_bodies)
    def check(body):
        good = is_good(body)
        seen[good] += 1
        status, text = ask(body)
        if good:
            assert status == 200
            assert len(json.loads(text)["labels"]) == len(json.loads(body)["x"])
        else:
            assert refusal((status, text))[0] == 400

    check()
    assert min(seen.values()) > 10


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/vnd.bentoml+pickle"},
        {"Content-Type": "application/vnd.bentoml+arrow"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        JSON | {"Content-Encoding": "gzip"},
    ],
)
def test_only_json_is_read(ask, headers):
    assert refusal(ask(as_body(np.zeros((1, 64))), headers))[0] == 415


@pytest.mark.parametrize(("method", "path"), [("POST", "/predict"), ("GET", "/nothing")])
def test_a_content_type_that_is_no_text_cuts_no_answer_off(ask, method, path):
    answer = ask(b"{}", {"Content-Type": b"\xe9"}, path=path, method=method)
    assert refusal(answer)[0] in (404, 415)


def test_a_body_beyond_the_limit_is_refused_by_its_length(ask):
    limit = Contract(64, "classification").body_limit
    assert refusal(ask(b" " * (limit + 1)))[0] == 413
    assert refusal(ask(b" " * 18_000_000))[0] == 413


def test_a_body_beyond_the_limit_is_refused_in_chunks(ask, net):
    chunks = (b" " * (1 << 16) for _ in range(64))
    assert refusal(ask(chunks))[0] == 413
    x = RNG.random((1, 64))
    body = as_body(x)
    assert right(ask(iter([body[:100], body[100:]])), net, x)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("PUT", "/predict", 405),
        ("DELETE", "/predict", 405),
        ("POST", "/card", 405),
        ("POST", "/contract", 405),
        ("GET", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("POST", "/predict%00", 404),
        ("POST", "/predict/", 404),
        ("GET", "/card/", 404),
    ],
)
def test_other_methods_and_paths_are_refused_in_the_same_shape(ask, method, path, status):
    assert refusal(ask(as_body(np.zeros((1, 64))), path=path, method=method))[0] == status


@pytest.mark.parametrize("path", ["/", "/livez", "/healthz", "/readyz", "/metrics", "/schema.json"])
def test_bentomls_own_pages_are_there(ask, path):
    assert ask(path=path, method="GET")[0] == 200


def test_card_and_contract_are_there(server):
    client = Client(server)
    assert client.card()["contract"] == client.contract().to_dict()
    assert client.card()["version"] == "1"
    assert client.health()


def test_forty_bad_requests_beside_forty_good_ones_spoil_none(ask, net, bad_bodies):
    good = [RNG.random((1 + i % 8, 64)) for i in range(40)]
    bad = [bad_bodies[i % len(bad_bodies)] for i in range(40)]
    requests = [*((as_body(x), x) for x in good), *((body, None) for body in bad)]
    random.Random(2).shuffle(requests)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda request: ask(request[0]), requests))
    for answer, (_, x) in zip(answers, requests, strict=True):
        if x is None:
            assert refusal(answer)[0] == 400
        else:
            assert right(answer, net, x)


def test_what_is_no_http_does_not_end_the_service(server, ask, net):
    for garbage in (b"\x00\xff\n\r\n\r\n", b"POST /predict HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(garbage)
            assert b" 200 " not in connection.recv(4096)
    head = (
        "POST /predict HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        "Content-Length: 9",
    )
    cut = "\r\n".join([*head, "", "{"]).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(cut)
    x = RNG.random((1, 64))
    assert right(ask(as_body(x)), net, x)


def test_the_kits_own_client(server, net):
    x = RNG.random((5, 64)).astype(np.float32)
    prediction = Client(server).predict(x)
    np.testing.assert_allclose(prediction.probabilities, probabilities(net, x), atol=1e-6)
    with pytest.raises(RequestError, match="NaN"):
        Client(server).predict(np.full((1, 64), np.nan))


def test_bentomls_own_client(server, net):
    import bentoml

    x = RNG.random((5, 64)).astype(np.float32)
    with bentoml.SyncHTTPClient(server.url) as client:
        answer = client.predict(x=x)
    np.testing.assert_allclose(answer["probabilities"], probabilities(net, x), atol=1e-6)
    assert answer["labels"] == probabilities(net, x).argmax(axis=1).tolist()
