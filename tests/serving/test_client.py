"""The client, against servers that answer as they are told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from amaas_kit.errors import RequestError, ServingError
from amaas_kit.serving import Client, Contract, Prediction


class Told(BaseHTTPRequestHandler):
    """Answers what the server was told, and keeps what was asked."""

    def do_POST(self):
        self.server.asked = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def told() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
    server.status, server.delay, server.asked = 200, 0.0, b""
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def as_json(**answer):
    return json.dumps(answer).encode()


def test_a_prediction_of_classes(told):
    told.answer = as_json(labels=["a"], probabilities=[[0.25, 0.75]], model="m", version="2")
    prediction = Client(told.url).predict(np.array([[0.5, 1.0]], np.float32))
    assert json.loads(told.asked) == {"x": [[0.5, 1.0]]}
    assert (prediction.labels, prediction.values) == (["a"], None)
    assert (prediction.model, prediction.version) == ("m", "2")
    np.testing.assert_array_equal(prediction.probabilities, [[0.25, 0.75]])


def test_a_prediction_of_values(told):
    told.answer = as_json(values=[1.5, 2], model="m", version="2")
    prediction = Client(told.url + "/").predict([[1], [2]])
    assert isinstance(prediction, Prediction)
    assert (prediction.labels, prediction.probabilities) == (None, None)
    np.testing.assert_array_equal(prediction.values, [1.5, 2.0])


def test_rows_go_out_as_they_are(told):
    told.answer = as_json(values=[1], model="m", version="2")
    Client(told.url).predict([[float("nan"), True]])
    assert told.asked == b'{"x": [[NaN, 1.0]]}'
    Client(told.url).predict([["0.5"]])
    assert told.asked == b'{"x": [["0.5"]]}'


@pytest.mark.parametrize("rows", [[[1], [1, 2]], [[None]], [[{}]], None, np.zeros((1, 1), complex)])
def test_what_is_no_table_of_numbers_is_not_sent(told, rows):
    with pytest.raises(RequestError):
        Client(told.url).predict(rows)
    assert told.asked == b""


@pytest.mark.parametrize(("status", "kind"), [(400, RequestError), (503, ServingError)])
def test_a_refusal_is_raised_with_what_the_service_said(told, status, kind):
    told.status, told.answer = status, as_json(error="row 0 is NaN", fix="send a number")
    with pytest.raises(kind) as raised:
        Client(told.url).predict([[1]])
    assert (raised.value.wrong, raised.value.fix) == ("row 0 is NaN", "send a number")
    assert str(status) in raised.value.seen


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, as_json(labels=[1], model="m")),
        (200, as_json(values=[[1], [1, 2]], model="m", version="1")),
        (200, as_json(model="m", version="1")),
        (200, as_json(values=[1, 2], model="m", version="1")),
        (200, as_json(labels=[1], probabilities=[], model="m", version="1")),
        (200, as_json(labels=5, probabilities=[[1]], model="m", version="1")),
        (200, b"[" * 100_000 + b"]" * 100_000),
        (404, b"<html>"),
        (404, b'{"message": "no"}'),
        (500, b"[1]"),
    ],
)
def test_something_else_under_the_address_is_told_from_a_model(told, status, answer):
    told.status, told.answer = status, answer
    with pytest.raises(ServingError, match="not how a model of this kit answers"):
        Client(told.url).predict([[1]])


def test_a_slow_answer_is_given_up(told):
    told.delay, told.answer = 1.0, b"{}"
    with pytest.raises(ServingError, match=r"within 0\.2 s"):
        Client(told.url, timeout=0.2).predict([[1]])


def test_nobody_there_is_an_error_that_says_how_to_start_a_service():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}")
    with pytest.raises(ServingError, match="serve"):
        client.predict([[1]])
    assert client.health() is False


def test_a_server_that_hangs_up_is_an_error(told):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(ServingError):
            Client(f"http://127.0.0.1:{server.getsockname()[1]}").predict([[1]])


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:3000", "ftp://127.0.0.1", "http://", "digits:1", "http://127.0.0.1:x"),
        *("http://[::1", None, 3000),
    ],
)
def test_an_address_that_is_none(url):
    with pytest.raises(ServingError):
        Client(url)


@pytest.mark.parametrize("path", ["/\u00e9", "/a b"])
def test_an_address_that_cannot_be_asked(told, path):
    with pytest.raises(ServingError, match="correct the address"):
        Client(told.url + path).predict([[1]])


@pytest.mark.parametrize("end", ["/", "/predict", "/predict/"])
def test_the_address_that_others_are_given_will_do(told, end):
    told.answer = as_json(values=[1], model="m", version="2")
    assert Client(told.url + end).url == told.url


def test_numbers_wider_than_those_of_json_go_out_as_those(told):
    told.answer = as_json(values=[1], model="m", version="2")
    Client(told.url).predict(np.array([[0.1]], np.longdouble))
    assert json.loads(told.asked) == {"x": [[float(np.longdouble(0.1))]]}


def test_health_card_and_contract(told):
    client = Client(told.url)
    told.answer = b"\n"
    assert client.health() is True
    told.answer = as_json(name="digits")
    assert client.card() == {"name": "digits"}
    contract = Contract(2, "regression", columns=("a", "b"))
    told.answer = json.dumps(contract.to_dict()).encode()
    assert client.contract() == contract
    for odd in (b"[]", b"7", b'{"format": 1}', b"null"):
        told.answer = odd
        with pytest.raises(ServingError):
            client.contract()
    told.status = 503
    assert client.health() is False
