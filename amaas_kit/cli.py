"""The `amaas` command. Every subcommand calls a room; rooms are loaded when one needs them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amaas_kit import __version__, ports
from amaas_kit.cli_options import INTERRUPTED, json_option
from amaas_kit.cli_partition import partition
from amaas_kit.errors import AmaasError, DataError, MissingError, ServingError

if TYPE_CHECKING:
    from amaas_kit.serving import Client, Contract, Prediction, Server
    from amaas_kit.trained import Trained

DIGITS = "digits"

COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


class Commands(click.Group):
    """A group of commands that shows the kit's errors as they are, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the subcommand; an error of the kit ends it with exit status 1, Ctrl-C with 130."""
        try:
            return super().invoke(context)
        except AmaasError as error:
            click.echo(str(error), err=True)
            context.exit(1)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            context.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="amaas")
def main() -> None:
    """Learn, try out and serve an AI model by hand.

    Exit status: 0 when all went well, 1 for an error that is explained, 2 for a command that was
    not understood, 130 for what Ctrl-C cut short.
    """


main.add_command(partition)

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), help="Where to listen; 0 takes a free port."
)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="work")
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only say where.")
@port_option
def lab(folder: Path, browser: bool, port: int | None) -> None:
    """Open the lessons in JupyterLab.

    Copies the lessons that FOLDER (by default: work) does not hold yet, and changes none that it
    holds. The course map and the glossary are renewed unless you changed them. Ctrl-C ends
    JupyterLab and its kernels.
    """
    from amaas_kit import lab as room

    new = room.copy_lessons(folder)
    room.copy_pages(folder)
    click.echo(f"Your lessons are in {folder.resolve()} ({len(new)} of them new).")
    room.start_lab(folder, port, browser, announce=_announce_lab)


def _announce_lab(address: str) -> None:
    click.echo(f"JupyterLab: {address}\nCtrl-C ends it and its kernels.")


@main.command()
@click.argument("lesson")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where your lessons are; left out, here if they are here, or else in work.",
)
def reset(lesson: str, folder: Path | None) -> None:
    """Bring a lesson back as it came.

    LESSON is its number or its name. Your copy is kept beside it under a new name. Close it in
    JupyterLab first.
    """
    from amaas_kit import lab as room

    fresh, kept = room.reset_lesson(lesson, folder or room.find_copies())
    click.echo(f"{fresh} is as it came.")
    if kept is not None:
        click.echo(f"Your copy is now {kept}.")


@main.command()
@click.option("--tensorflow", is_flag=True, help="Also load TensorFlow, which takes seconds.")
@json_option
@click.pass_context
def doctor(context: click.Context, tensorflow: bool, as_json: bool) -> None:
    """Say whether lessons can run on this machine, and how to mend what is missing.

    Exit status: 0 when lessons can run, 1 when something keeps them from it.
    """
    from dataclasses import asdict

    from amaas_kit import doctor as room

    findings = room.examine(load_tensorflow=tensorflow)
    ready = room.ready(findings)
    if as_json:
        click.echo(json.dumps({"ready": ready, "findings": [asdict(one) for one in findings]}))
    else:
        click.echo(room.as_text(findings, style=_coloured))
        problems = sum(finding.status == "problem" for finding in findings)
        click.echo("Lessons can run." if ready else f"Mend {problems} first.")
    context.exit(0 if ready else 1)


def _coloured(word: str, status: str) -> str:
    return click.style(word, fg=COLOURS[status])


@main.command()
@click.argument("data", default=DIGITS)
@click.option("--target", help="The column to predict, in a CSV or Parquet file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The model file.")
@click.option("--force", is_flag=True, help="Replace a model file that exists.")
@click.option("--hidden", default="128,64", show_default=True, help="Sizes of the hidden layers.")
@click.option("--rate", type=float, default=1e-3, show_default=True, help="Learning rate of Adam.")
@click.option("--epochs", type=click.IntRange(1), help="How many; left out, as many as it takes.")
@click.option(
    "--by",
    type=click.Choice(["random", "block"]),
    default="random",
    show_default=True,
    help="How rows are set aside for the test: by chance, or whole blocks of the file.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same gives the same.")
@json_option
@click.pass_context
def train(
    context: click.Context,
    data: str,
    target: str | None,
    out: Path | None,
    force: bool,
    hidden: str,
    rate: float,
    epochs: int | None,
    by: str,
    seed: int,
    as_json: bool,
) -> None:
    """Train a network and write a model file.

    DATA is `digits` (the default) or a file: .csv, .tsv or .parquet with --target, or .npz with
    arrays x and y. Ctrl-C stops early and keeps what was learnt.
    """
    from amaas_kit import trained
    from amaas_kit.data import load_digits

    sizes = _sizes(hidden)
    out = out or Path(f"{Path(data).stem}-model.npz")
    _require_place(out, data, force)
    if data == DIGITS:
        split = load_digits(by=by, seed=seed)
    else:
        split = trained.read_data(data, target).split(by=by, seed=seed)
    result = trained.train(split, hidden=sizes, rate=rate, epochs=epochs, seed=seed)
    result.save(out)
    if as_json:
        click.echo(json.dumps({"model": str(out), **_figures(result)}))
    else:
        click.echo(f"{split}\n{_sentence(result)}")
        click.echo(f"Written to {out}. Package it: amaas build {out}")
    if result.history.stopped == "interrupted":
        context.exit(INTERRUPTED)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--name", help="The name of the Bento; left out, that of the file.")
@click.option("--use", "intended_use", help="What the model is for, for its card.")
@json_option
def build(model: Path, name: str | None, intended_use: str | None, as_json: bool) -> None:
    """Package a model file as a Bento, which needs nothing but itself."""
    from amaas_kit import serving, trained

    network, history, evaluation = trained.load(model)
    tag = serving.package(
        network,
        name=name or _tag_name(model),
        history=history,
        evaluation=evaluation,
        intended_use=intended_use,
    )
    if as_json:
        click.echo(json.dumps({"tag": tag}))
    else:
        click.echo(f"Packaged as {tag}. Serve it: amaas serve {tag.partition(':')[0]}")


@main.command()
@click.argument("name", default=DIGITS)
@click.option("--port", type=click.IntRange(0, 65535), default=3000, show_default=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; 0.0.0.0 lets other machines in.",
)
@click.pass_context
def serve(context: click.Context, name: str, port: int, host: str) -> None:
    """Serve a packaged model until Ctrl-C.

    NAME is that of a Bento, or its tag. Where there is no Bento called `digits` yet, a network is
    trained and packaged first.
    """
    from amaas_kit import serving
    from amaas_kit.serving import store

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            store.find(name)
        except ServingError:
            if name != DIGITS:
                raise
            _require_free(port)
            name = _digits_bento()
        click.echo(f"Starting a server for {name} …")
        with serving.serve(name, port=port, host=host) as server:
            click.echo(_how_to_ask(server))
            server.wait()
            click.echo(f"The server ended by itself; its log is {server.log}", err=True)
            context.exit(1)
    except KeyboardInterrupt:
        click.echo("Stopped.")


@main.command()
@click.argument("model")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@json_option
def predict(model: str, file: str, as_json: bool) -> None:
    """Ask a served model about the rows of a file.

    MODEL is the address of a server, or the tag of a Bento, which is then served for as long as
    it takes. FILE is JSON ([[…], …] or {"x": [[…], …]}), or CSV; - reads JSON from standard input.
    """
    from amaas_kit import serving

    address = _address(model)
    if address is not None:
        answer = _ask(serving.Client(address), file)
    else:
        with serving.serve(model) as server:
            answer = _ask(serving.Client(server), file)
    if as_json:
        click.echo(json.dumps(_plain(answer)))
    else:
        click.echo("\n".join(_lines(answer)))


@main.command()
@json_option
def progress(as_json: bool) -> None:
    """Say which exercises you tried and solved.

    A table for each lesson, with attempts, the day of the first right answer, and hints used. The
    marks are in ~/.amaas/progress.json, or in the folder that AMAAS_HOME names.
    """
    from amaas_kit.exercises import progress as marks
    from amaas_kit.exercises import scoreboard

    book, note = marks.load()
    boards = scoreboard.boards(book)
    if as_json:
        lessons = [board.as_json() for board in boards]
        click.echo(json.dumps({"lessons": lessons, "note": note}))
        return
    click.echo("\n\n".join(board.as_table() for board in boards))
    if not any(board.tried for board in boards):
        click.echo("\nBegin with the first: amaas lab opens the lessons; each has its exercises.")
    if note:
        click.echo(note, err=True)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def bench(context: click.Context, arguments: Sequence[str]) -> None:
    """Time training on this machine against other frameworks, in a checkout of the kit.

    ARGUMENTS go to benchmarks/training.py, which explains them: amaas bench -- --help
    """
    program = Path(__file__).parent.parent / "benchmarks" / "training.py"
    if not program.exists():
        raise MissingError(
            situation="While looking for the benchmarks",
            seen=f"no file {program}",
            wrong="they are in the kit's source, not in the installed package",
            fix="clone the repository and run: make bench",
        )
    context.exit(subprocess.run([sys.executable, program, *arguments], check=False).returncode)


def _require_place(out: Path, data: str, force: bool) -> None:
    """Refuse a place for the model file before time is spent on training."""
    from amaas_kit.trained import record_of

    situation = "While choosing where to write the model"
    taken = [path for path in (out, record_of(out)) if path.exists()]
    if taken and (not force or out.resolve() == Path(data).resolve()):
        raise DataError(
            situation,
            seen=f"{taken[0]}, which exists",
            wrong="it would be lost",
            fix="name another with --out, or say --force to replace a model file",
        )
    if not out.parent.is_dir():
        raise DataError(
            situation,
            seen=f"no folder {out.parent}",
            wrong="the file needs a folder to lie in",
            fix=f"make it first: mkdir -p {out.parent}",
        )


def _address(model: str) -> str | None:
    """The address of a server, with the http:// that people leave out; None for a tag."""
    if "://" in model:
        return model
    host = re.match(r"(localhost|\d+(\.\d+){3})(:|/|$)", model)
    return f"http://{model}" if host else None


def _sizes(hidden: str) -> list[int]:
    try:
        return [int(size) for size in hidden.split(",") if size]
    except ValueError:
        raise click.BadParameter("whole numbers with commas, such as 128,64") from None


def _figures(result: Trained) -> dict[str, Any]:
    history, evaluation = result.history, result.evaluation
    return {
        "epochs": history.epochs,
        "seconds": round(history.seconds, 3),
        "stopped": history.stopped,
        "test": {
            "rows": evaluation.rows,
            "loss": evaluation.loss,
            "accuracy": evaluation.accuracy,
            "baseline": evaluation.baseline,
        },
    }


def _sentence(result: Trained) -> str:
    figures = _figures(result)
    test = figures["test"]
    if test["accuracy"] is None:
        measured = (
            f"mean squared error {test['loss']:.4g} (always the mean: {test['baseline']:.4g})"
        )
    else:
        measured = f"accuracy {test['accuracy']:.3f} (always one class: {test['baseline']:.3f})"
    return (
        f"{figures['epochs']} epochs in {figures['seconds']:.1f} s; "
        f"on {test['rows']:,} unseen rows {measured}"
    )


def _tag_name(model: Path) -> str:
    """A name for a Bento out of that of a file."""
    stem = model.stem.removesuffix("-model").lower()
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._") or "model"


def _digits_bento() -> str:
    """Train on the digits and package the network."""
    from amaas_kit import serving, trained
    from amaas_kit.data import load_digits

    click.echo("No Bento called digits yet: training a network on the digits …")
    result = trained.train(load_digits())
    if result.history.stopped == "interrupted":
        raise KeyboardInterrupt
    click.echo(f"{_sentence(result)}\nPackaging it …")
    return serving.package(
        result.network,
        name=DIGITS,
        history=result.history,
        evaluation=result.evaluation,
        intended_use="Reading hand-written digits of 8 x 8 pixels, for learning.",
    )


def _require_free(port: int) -> None:
    """Refuse a taken port before time is spent on training."""
    try:
        ports.claim(port)
    except OSError as error:
        raise ServingError(
            situation="While starting a server",
            seen=f"port {port}: {error}",
            wrong="a server cannot listen there; most often another program does",
            fix="amaas serve --port 0 takes any free port",
        ) from None


def _how_to_ask(server: Server) -> str:
    """The address, and a call by curl and by Python that can be pasted."""
    from amaas_kit import serving

    row, in_python = _example(serving.Client(server).contract())
    body = json.dumps({"x": [row]})
    return (
        f"{server.tag} answers at {server.url} (Ctrl-C stops it). Ask it from another terminal:\n\n"
        f"curl {server.url}/predict -H 'Content-Type: application/json' -d '{body}'\n\n"
        "or from Python:\n\n"
        "import amaas_kit as ak\n"
        f'ak.serving.Client("{server.url}").predict({in_python})\n'
    )


def _example(contract: Contract) -> tuple[list[float], str]:
    """A row that the model can be asked about, and rows as a person would write them in Python.

    Where it fits they are digits, those that `amaas train` and `amaas serve` do not learn from.
    """
    if contract.features == 64 and (contract.minimum, contract.maximum) == (0.0, 1.0):
        from amaas_kit.data import load_digits

        return load_digits().test.x[0].tolist(), "ak.data.load_digits().test.x[:3]"
    row = [contract.minimum or 0.0] * contract.features
    return row, str([row])


def _ask(client: Client, file: str) -> Prediction:
    from amaas_kit import rows

    return client.predict(rows.read(file, client.contract()))


def _plain(answer: Prediction) -> dict[str, Any]:
    """The answer in JSON's own types."""
    parts = {
        "labels": answer.labels,
        "probabilities": answer.probabilities,
        "values": answer.values,
    }
    lists = {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in parts.items()
        if value is not None
    }
    return {**lists, "model": answer.model, "version": answer.version}


def _lines(answer: Prediction) -> list[str]:
    """One line a row: its label and how probable that is, or its value."""
    if answer.labels is not None and answer.probabilities is not None:
        most = answer.probabilities.max(axis=1)
        return [f"{label}\t{share:.4f}" for label, share in zip(answer.labels, most, strict=True)]
    return [" ".join(f"{number:g}" for number in row) for row in _as_columns(answer.values)]


def _as_columns(values: Any) -> list[list[float]]:
    rows: list[list[float]] = values.reshape(len(values), -1).tolist()
    return rows
