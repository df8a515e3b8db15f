"""A model file comes back bit for bit, or is refused by name with what to do about it."""

import contextlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from amaas_kit.errors import ModelFileError
from amaas_kit.network import ACTIVATIONS, Dense, Elementwise, Network


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return Network([3, 2, 1], "tanh", seed=0).save(tmp_path / "model.npz")


def refused(path):
    with pytest.raises(ModelFileError) as error:
        Network.load(path)
    assert str(path) in str(error.value)
    return error


def same(first: Network, second: Network) -> bool:
    return (
        first.activations == second.activations
        and first.dtype == second.dtype
        and all(
            p.tobytes() == q.tobytes() and p.shape == q.shape
            for p, q in zip(first.parameters, second.parameters, strict=True)
        )
    )


def write(path, header=None, **arrays):
    """A file that NumPy itself wrote, with any header."""
    if header is not None:
        arrays["header"] = np.array(header if isinstance(header, str) else json.dumps(header))
    np.savez(path, **arrays)
    return path


HEADER = {
    "kind": "amaas-kit network",
    "format": 1,
    "sizes": [3, 2],
    "activations": ["relu"],
    "dtype": "float32",
}
ARRAYS = {"w0": np.ones((3, 2), "float32"), "b0": np.zeros(2, "float32")}


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("sizes", [[64, 128, 64, 10], [1, 1], [10, 5, 1]])
    def test_bit_for_bit(self, tmp_path, sizes, dtype):
        net = Network(sizes, seed=0, dtype=dtype)
        net.parameters[0][0, 0] = np.nextafter(0, 1, dtype=dtype)
        assert same(Network.load(net.save(tmp_path / "model.npz")), net)

    def test_every_activation(self, tmp_path):
        net = Network([2] * (len(ACTIVATIONS) + 1), list(ACTIVATIONS), seed=0)
        assert same(Network.load(net.save(tmp_path / "model")), net)

    def test_what_was_loaded_can_be_trained_and_saved_over(self, saved):
        net = Network.load(saved)
        net.parameters[0][:] = 5
        net.save(saved)
        assert same(Network.load(saved), net)

    def test_the_same_network_makes_the_same_bytes(self, saved, tmp_path):
        again = Network.load(saved).save(str(tmp_path / "again.npz"))
        assert again.read_bytes() == saved.read_bytes()

    def test_numpy_alone_can_read_it(self, saved):
        with np.load(saved, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
            assert header["sizes"] == [3, 2, 1]
            assert archive["w0"].shape == (3, 2)
            assert set(archive.files) == {"header", "w0", "b0", "w1", "b1"}

    def test_a_file_as_the_format_describes_it_is_read(self, tmp_path):
        net = Network.load(write(tmp_path / "m.npz", HEADER, **ARRAYS))
        np.testing.assert_array_equal(net.forward([[1, 2, 3]]), [[6, 6]])


class TestDamage:
    def test_cut_short_anywhere(self, saved, tmp_path, says):
        content = saved.read_bytes()
        cut = tmp_path / "cut.npz"
        for length in range(len(content)):
            cut.write_bytes(content[:length])
            says(refused(cut), f"{length:,} bytes", "cut short or damaged", "net.save")

    def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(self, saved, tmp_path):
        net, content = Network.load(saved), saved.read_bytes()
        flipped = tmp_path / "flipped.npz"
        survived = 0
        for place in range(len(content)):
            for bit in (1, 128):
                damaged = bytearray(content)
                damaged[place] ^= bit
                flipped.write_bytes(damaged)
                with contextlib.suppress(ModelFileError):
                    assert same(Network.load(flipped), net)
                    survived += 1
        assert survived < len(content)  # dates and the like, in which no one reads

    def test_a_flipped_bit_in_a_weight_is_a_wrong_checksum(self, saved, says):
        content = bytearray(saved.read_bytes())
        weights = Network.load(saved).parameters[0].tobytes()
        content[content.index(weights)] ^= 1
        saved.write_bytes(content)
        says(refused(saved), "Bad CRC-32", "w0", "damaged")

    def test_drawn_garbage_in_the_middle(self, saved, tmp_path):
        rng = np.random.default_rng(0)
        net, content = Network.load(saved), saved.read_bytes()
        garbled = tmp_path / "garbled.npz"
        for _ in range(300):
            start, length = rng.integers(len(content)), rng.integers(1, 64)
            noise = rng.bytes(length)
            garbled.write_bytes(content[:start] + noise + content[start + length :])
            with contextlib.suppress(ModelFileError):
                assert same(Network.load(garbled), net)

    def test_garbage_with_the_right_checksums(self, saved, tmp_path):
        rng = np.random.default_rng(0)
        with zipfile.ZipFile(saved) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        garbled = tmp_path / "garbled.npz"
        for _ in range(500):
            name = rng.choice(list(members))
            member = bytearray(members[name])
            for place in rng.integers(min(len(member), 140), size=3):
                member[place] = rng.choice(list(b"()[]{}',:<|fO01\n\x00\xff"))
            with zipfile.ZipFile(garbled, "w") as archive:
                for other, content in members.items():
                    archive.writestr(other, bytes(member) if other == name else content)
            with contextlib.suppress(ModelFileError):
                Network.load(garbled)

    def test_an_array_whose_header_promises_too_much(self, tmp_path, says):
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 2)}
        )
        path = write(tmp_path / "huge.npz", HEADER, b0=ARRAYS["b0"])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("w0.npy", file.getvalue())
        says(refused(path), "damaged")


class TestForeign:
    def test_a_missing_file(self, tmp_path, says):
        says(refused(tmp_path / "nowhere.npz"), "No such file", "check the path")

    def test_a_folder(self, tmp_path, says):
        says(refused(tmp_path), "directory", "check the path")

    @pytest.mark.parametrize(
        "content", [b"x,y\n1,2\n", b"\x89HDF\r\n\x1a\n rest", pickle.dumps({"w": 1}), b"PNG"]
    )
    def test_another_kind_of_file(self, tmp_path, content, says):
        path = tmp_path / "other"
        path.write_bytes(content)
        says(refused(path), str(content[:4])[2:6], "no model file", "net.save")

    def test_data_in_an_npz(self, tmp_path, says):
        says(refused(write(tmp_path / "data.npz", x=np.ones(3))), "no model file")

    def test_another_zip(self, tmp_path, says):
        path = tmp_path / "other.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
        says(refused(path), "no model file")

    @pytest.mark.parametrize(
        "header", ["", "{", "[1]", "7", {}, {"format": 1}, {**HEADER, "kind": "other"}, "[" * 10**5]
    )
    def test_a_header_of_something_else(self, tmp_path, header, says):
        says(refused(write(tmp_path / "m.npz", header, **ARRAYS)), "no model file")

    def test_nothing_is_unpickled(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "sprung",))

        path = tmp_path / "trap.npz"
        np.savez(path, header=np.array([Trap()], dtype=object))
        refused(path)
        assert not (tmp_path / "sprung").exists()


class TestHeader:
    def test_a_newer_format(self, tmp_path, says):
        path = write(tmp_path / "m.npz", {**HEADER, "format": 2, "sizes": "later"}, **ARRAYS)
        says(refused(path), "format 2", "newer", "up to format 1", "pip install --upgrade")

    @pytest.mark.parametrize("version", [0, -1, "1", 1.5, True, None])
    def test_a_format_that_never_was(self, tmp_path, version, says):
        path = write(tmp_path / "m.npz", {**HEADER, "format": version}, **ARRAYS)
        says(refused(path), "format", "no model file")

    @pytest.mark.parametrize(
        "change",
        [
            {"sizes": [3]},
            {"sizes": [3, 2, 1]},
            {"sizes": [3, -2]},
            {"sizes": [3, 2.0]},
            {"sizes": "32"},
            {"activations": []},
            {"activations": ["swish"]},
            {"activations": [None]},
            {"dtype": "float16"},
            {"dtype": ["float32"]},
        ],
    )
    def test_a_header_that_describes_no_network(self, tmp_path, change, says):
        path = write(tmp_path / "m.npz", HEADER | change, **ARRAYS)
        says(refused(path), "header", str(next(iter(change))), "does not describe a network")

    @pytest.mark.parametrize(
        ("arrays", "words"),
        [
            ({"w0": ARRAYS["w0"]}, ["b0: no such array", "(2,)"]),
            ({"b0": ARRAYS["b0"]}, ["w0: no such array", "(3, 2)"]),
            (ARRAYS | {"w0": np.ones((2, 3), "float32")}, ["w0: float32 of shape (2, 3)"]),
            (ARRAYS | {"w0": np.ones((3, 2))}, ["w0: float64", "promises float32"]),
            (ARRAYS | {"b0": np.array(["a", "b"])}, ["b0: <U1"]),
        ],
    )
    def test_arrays_that_are_not_what_the_header_promises(self, tmp_path, arrays, words, says):
        says(refused(write(tmp_path / "m.npz", HEADER, **arrays)), *words)


class TestSaving:
    def test_a_folder_that_does_not_exist(self, tmp_path, says):
        with pytest.raises(ModelFileError) as error:
            Network([2, 1]).save(tmp_path / "models" / "m.npz")
        says(error, "no folder", "models", "mkdir -p")

    def test_an_activation_of_ones_own(self, tmp_path, says):
        class Square(Elementwise):
            name = "square"

            def value(self, z):
                return z**2

            def derivative(self, z):
                return 2 * z

        net = Network.from_layers([Dense(np.ones((2, 1)), np.zeros(1), Square())])
        with pytest.raises(ModelFileError) as error:
            net.save(tmp_path / "m.npz")
        says(error, "'square'", "relu")
        assert not list(tmp_path.iterdir())

    def test_a_write_that_fails_keeps_the_old_file(self, saved, monkeypatch):
        before = saved.read_bytes()

        def half(file, **arrays):
            file.write(b"PK")
            raise OSError("disk full")

        monkeypatch.setattr(np, "savez", half)
        with pytest.raises(OSError, match="disk full"):
            Network([3, 2]).save(saved)
        assert saved.read_bytes() == before
        assert [p.name for p in saved.parent.iterdir()] == ["model.npz"]
