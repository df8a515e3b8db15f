"""MNIST and its cousin: fetched and checked, read from the kit's folder, or a way on."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import socket
import struct
import threading
import time

import numpy as np
import pytest

from amaas_kit.data import load_fashion_mnist, load_mnist, mnist
from amaas_kit.errors import DataError, MissingError

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def small_set(rows=200):
    """Arrays of the shape of MNIST, with fewer rows."""
    generator = np.random.default_rng(0)
    labels = np.arange(rows, dtype=np.uint8) % 10
    images = generator.integers(0, 256, (rows, 28, 28), np.uint8)
    return {"x_train": images, "y_train": labels, "x_test": images[:50], "y_test": labels[:50]}


def as_npz(arrays):
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def as_idx(array):
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes())


@contextlib.contextmanager
def serving(contents, status=200, announced=None):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = contents[int(self.path.strip("/"))]
            self.send_response(status)
            self.send_header("Content-Length", str(announced or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def source_at(source, url, contents):
    files = tuple(
        mnist._File(f"{url}{i}", hashlib.sha256(content).hexdigest(), len(content))
        for i, content in enumerate(contents)
    )
    return dataclasses.replace(source, files=files)


def place(name, arrays, tmp_path):
    path = tmp_path / "home" / "datasets" / f"{name}.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(as_npz(arrays))
    return path


def test_a_file_in_the_kits_folder_needs_no_network(tmp_path):
    arrays = small_set()
    place("mnist", arrays, tmp_path)
    split = load_mnist(validation=0.25, seed=2)
    assert (split.train.rows, split.validation.rows, split.test.rows) == (150, 50, 50)
    assert split.train.x.shape == (150, 784)
    assert split.train.x.dtype == np.float32
    assert (split.by, split.seed, split.name) == ("published", 2, "mnist")
    assert split.train.labels == tuple(range(10))
    assert split.test.x.tolist() == (arrays["x_test"].reshape(50, 784) / np.float32(255)).tolist()
    assert split.test.y.tolist() == arrays["y_test"].tolist()


def test_training_images_are_shared_out_without_loss(tmp_path):
    arrays = small_set()
    place("mnist", arrays, tmp_path)
    split = load_mnist(validation=0.25)
    rows = [row.tobytes() for part in (split.train, split.validation) for row in part.x]
    whole = arrays["x_train"].reshape(200, 784).astype(np.float32) / np.float32(255)
    assert sorted(rows) == sorted(row.tobytes() for row in whole)
    assert np.bincount(split.validation.y).tolist() == [5] * 10
    assert (load_mnist(validation=0.25).train.x == split.train.x).all()


def test_images_keep_their_shape_on_request(tmp_path):
    place("fashion_mnist", small_set(), tmp_path)
    split = load_fashion_mnist(flat=False)
    assert split.train.x.shape[1:] == (28, 28)
    assert split.train.labels[9] == "Ankle boot"
    assert split.train.bounds == (0.0, 1.0)


def test_one_npz_file_is_fetched_once_and_kept(monkeypatch, tmp_path):
    content = as_npz(small_set())
    with serving([content]) as url:
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [content]))
        first = load_mnist()
    assert (tmp_path / "home" / "datasets" / "mnist.npz").read_bytes() == content
    assert (load_mnist().train.x == first.train.x).all()


def test_four_idx_files_are_fetched_and_kept_as_one(monkeypatch):
    arrays = small_set()
    contents = [as_idx(arrays[name]) for name in mnist.ARRAYS]
    with serving(contents) as url:
        source = source_at(mnist.FASHION_MNIST, url, contents)
        monkeypatch.setattr(mnist, "FASHION_MNIST", source)
        load_fashion_mnist()
    split = load_fashion_mnist()
    assert split.test.y.tolist() == arrays["y_test"].tolist()
    assert (split.test.x * 255).round().astype(np.uint8).tolist() == arrays["x_test"].reshape(
        50, 784
    ).tolist()


def test_other_bytes_than_the_published_are_refused_and_not_kept(monkeypatch, tmp_path):
    content = as_npz(small_set())
    with serving([content[:-1] + b"!"]) as url:
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [content]))
        with pytest.raises(DataError, match="SHA-256"):
            load_mnist()
    assert not (tmp_path / "home" / "datasets").exists()


def test_an_endless_answer_is_cut_off(monkeypatch):
    content = as_npz(small_set())
    with serving([content * 50]) as url:
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [content]))
        with pytest.raises(DataError) as caught:
            load_mnist()
    read = int(caught.value.seen.split(" bytes")[0].replace(",", ""))
    assert read <= len(content) + (1 << 16)


def check_way_on(error, tmp_path):
    assert "load_digits()" in error.fix
    assert str(tmp_path / "home" / "datasets" / "mnist.npz") in error.fix
    assert not (tmp_path / "home" / "datasets").exists()


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_server_that_refuses_leaves_a_way_on(monkeypatch, tmp_path, status):
    with serving([b"no"], status) as url:
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [b"yes"]))
        with pytest.raises(MissingError, match=str(status)) as caught:
            load_mnist()
    check_way_on(caught.value, tmp_path)


def test_a_connection_that_breaks_leaves_a_way_on(monkeypatch, tmp_path):
    with serving([b"half"], announced=1000) as url:
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [b"half" * 250]))
        with pytest.raises((MissingError, DataError)):
            load_mnist()
    assert not (tmp_path / "home" / "datasets").exists()


def test_no_network_leaves_a_way_on_at_once(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    source = source_at(mnist.MNIST, f"http://127.0.0.1:{port}/", [b""])
    monkeypatch.setattr(mnist, "MNIST", source)
    start = time.monotonic()
    with pytest.raises(MissingError) as caught:
        load_mnist()
    assert time.monotonic() - start < 5
    check_way_on(caught.value, tmp_path)


def test_a_server_that_never_answers_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "SECONDS_TO_ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(mnist, "MNIST", source_at(mnist.MNIST, url, [b""]))
        start = time.monotonic()
        with pytest.raises(MissingError, match="timed out") as caught:
            load_mnist()
    assert time.monotonic() - start < 5
    check_way_on(caught.value, tmp_path)


def test_the_published_sources_name_four_arrays_or_one_file():
    assert len(mnist.MNIST.files) == 1
    assert len(mnist.FASHION_MNIST.files) == len(mnist.ARRAYS)
    for file in (*mnist.MNIST.files, *mnist.FASHION_MNIST.files):
        assert file.url.startswith("https://")
        assert len(bytes.fromhex(file.sha256)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"x_train": np.zeros((200, 784), np.uint8)},
        {"x_train": np.zeros((200, 28, 28), np.float32)},
        {"y_train": np.full(200, 10, np.uint8)},
        {"y_test": np.zeros(49, np.uint8)},
        {"y_test": np.zeros(50, np.int64)},
    ],
)
def test_another_file_under_that_name_is_refused(tmp_path, change):
    path = place("mnist", small_set() | change, tmp_path)
    with pytest.raises(DataError) as caught:
        load_mnist()
    assert str(path) in caught.value.situation
    assert "load_mnist()" in caught.value.fix


def test_a_file_cut_short_is_refused(tmp_path):
    path = place("mnist", small_set(), tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cut short"):
        load_mnist()


@pytest.mark.parametrize("validation", [0, 1, -0.5, True, float("nan")])
def test_a_share_without_sense_is_refused(validation):
    with pytest.raises(DataError, match="validation="):
        load_mnist(validation=validation)
