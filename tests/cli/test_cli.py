"""The `amaas` command as a person, or a script, uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from amaas_kit import cli
from amaas_kit.data import load_digits

COMMANDS = sorted(cli.main.commands)
SECONDS = 240


def amaas(*arguments, cwd=None, stdin=None):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "amaas_kit", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def stores(tmp_path_factory):
    """Empty stores for each module of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("amaas")))
        yield


def test_the_commands_are_those_of_the_readme():
    assert COMMANDS == [
        "bench",
        "build",
        "doctor",
        "lab",
        "partition",
        "predict",
        "progress",
        "reset",
        "serve",
        "train",
    ]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_explains_itself(command):
    done = CliRunner().invoke(cli.main, [*command, "--help"])
    assert done.exit_code == 0
    assert done.output.startswith("Usage: ")
    assert len(done.output.splitlines()) >= 5


def test_the_help_loads_nothing_heavy():
    program = (
        "import sys; from amaas_kit.cli import main; main(['--help'], standalone_mode=False); "
        "print('loaded', *{'numpy', 'tensorflow', 'bentoml', 'rich'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.splitlines()[-1] == "loaded"


def test_an_error_of_the_kit_is_four_lines_and_exit_status_1(tmp_path):
    done = amaas("reset", "99", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"[^\n]+\n  seen:  .+\n  wrong: .+\n  fix:   .+\n", done.stderr)


def test_a_command_that_was_not_understood_is_exit_status_2():
    assert amaas("serve", "--port", "much").returncode == 2
    assert amaas("fly").returncode == 2


def test_the_version():
    assert amaas("--version").stdout.strip() == "amaas, version 0.1.0"


def test_the_doctor_answers_a_script(tmp_path):
    done = amaas("doctor", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert (done.returncode, report["ready"]) == (0, True)
    assert {"name", "status", "seen", "fix"} == set(report["findings"][0])


def test_the_doctor_says_by_its_exit_status_that_lessons_cannot_run(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "file" / "home"))
    done = amaas("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Mend 1 first."


@pytest.mark.parametrize("hidden", ["a,b", "12.5"])
def test_sizes_that_are_no_numbers(hidden, tmp_path):
    done = amaas("train", "--hidden", hidden, cwd=tmp_path)
    assert done.returncode == 2
    assert "128,64" in done.stderr


def test_a_model_file_that_exists_is_not_replaced(tmp_path):
    (tmp_path / "digits-model.npz").write_bytes(b"precious")
    done = amaas("train", cwd=tmp_path)
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert (tmp_path / "digits-model.npz").read_bytes() == b"precious"


def test_a_place_that_does_not_exist_is_refused_before_anything_is_trained(tmp_path):
    done = amaas("train", "--out", "none/model.npz", cwd=tmp_path)
    assert done.returncode == 1
    assert "mkdir -p none" in done.stderr


def test_a_data_file_is_not_taken_for_the_model_file(tmp_path):
    np.savez(tmp_path / "points.npz", x=np.eye(4), y=np.arange(4) * 0.5)
    before = (tmp_path / "points.npz").read_bytes()
    done = amaas("train", "points.npz", "--out", "points.npz", "--force", cwd=tmp_path)
    assert done.returncode == 1
    assert "points.npz, which exists" in done.stderr
    assert (tmp_path / "points.npz").read_bytes() == before


def test_a_file_where_the_record_would_go_is_not_replaced(tmp_path):
    (tmp_path / "digits-model.npz.json").write_text("precious")
    done = amaas("train", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "digits-model.npz.json").read_text() == "precious"


@pytest.mark.parametrize(
    ("model", "name"),
    [("House Prices-model.npz", "house-prices"), ("a.b.npz", "a.b"), ("---.npz", "model")],
)
def test_a_bento_is_called_after_its_file(tmp_path, model, name):
    assert cli._tag_name(tmp_path / model) == name


def test_a_bento_that_does_not_exist(tmp_path):
    done = amaas("serve", "nothing", cwd=tmp_path)
    assert done.returncode == 1
    assert "amaas build" in done.stderr


def test_a_taken_port_is_refused_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = amaas("serve", "digits", "--port", server.getsockname()[1], cwd=tmp_path)
    assert done.returncode == 1
    assert "--port 0" in done.stderr
    assert "training" not in done.stdout


def test_rows_from_a_file_that_is_missing(tmp_path):
    done = amaas("predict", "digits", "none.json", cwd=tmp_path)
    assert (done.returncode, "none.json" in done.stderr) == (2, True)


def test_the_benchmark_takes_its_own_options():
    done = amaas("bench", "--rounds", "none")
    assert done.returncode == 2
    assert "training.py: error: argument --rounds" in done.stderr


def test_nobody_answers(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    done = amaas("predict", f"http://127.0.0.1:{number}", "-", cwd=tmp_path, stdin="[[1]]")
    assert done.returncode == 1
    assert "no service answers there" in done.stderr


def test_a_csv_of_ones_own_becomes_a_served_regression(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.uniform(100, 200, size=(200, 2))
    price = 3 * x[:, 0] - x[:, 1] + 1000
    lines = ["area,age,price", *(f"{a},{b},{c}" for (a, b), c in zip(x, price, strict=True))]
    (tmp_path / "houses.csv").write_text("\n".join(lines))
    trained = amaas("train", "houses.csv", "--target", "price", "--json", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    report = json.loads(trained.stdout)
    assert report["model"] == "houses-model.npz"
    assert report["test"]["loss"] < 0.1 * report["test"]["baseline"]

    built = amaas("build", "houses-model.npz", "--json", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout) == {"tag": "houses:1"}

    (tmp_path / "ask.csv").write_text("age,area\n150,120\n100,200\n")
    asked = amaas("predict", "houses", "ask.csv", "--json", cwd=tmp_path)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert (answer["model"], answer["version"]) == ("houses", "1")
    np.testing.assert_allclose(np.ravel(answer["values"]), [1210, 1500], rtol=0.05)


@pytest.mark.skipif(os.name == "nt", reason="needs hardware: a system with signals")
def test_serve_goes_from_nothing_to_a_right_answer_and_stops_at_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "amaas_kit", "serve", "digits", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        told = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("ak.serving.Client("):
                break
        text = "".join(told)
        address = re.search(r"digits:1 answers at (http://127\.0\.0\.1:\d+)", text)[1]

        curl = re.search(r"^curl \S+ -H '([^']+)' -d '([^']+)'$", text, re.MULTILINE)
        by_curl = amaas("predict", address, "-", "--json", stdin=curl[2])
        unseen = load_digits().test
        assert json.loads(by_curl.stdout)["labels"] == [int(unseen.y[0])]

        rows = json.dumps(unseen.x[:50].tolist())
        by_rows = amaas("predict", address.removeprefix("http://"), "-", stdin=rows)
        labels = [int(line.split("\t")[0]) for line in by_rows.stdout.splitlines()]
        assert np.mean(labels == unseen.y[:50]) >= 0.9

        refused = amaas("predict", address, "-", stdin="[[1, 2]]")
        assert (refused.returncode, "64" in refused.stderr) == (1, True)

        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - start < 30
    again = amaas("predict", address, "-", stdin="[[1]]")
    assert "no service answers there" in again.stderr
