"""`amaas partition` as a person, or a script, uses it."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from amaas_kit import cli
from amaas_kit.partition import Plan, engine
from amaas_kit.partition import Result as Parts
from amaas_kit.partition.cut import fit
from amaas_kit.partition.engines import ENGINES
from amaas_kit.partition.plan_text import FORMS, plan_from_text
from amaas_kit.partition.source import Table
from tests.partition.every_plan import hard_table

COMMAND = [sys.executable, "-m", "amaas_kit", "partition"]
ROWS = 1_000
SECONDS = 120


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """A folder with a table, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    hard_table(ROWS, seed=1).write_parquet("table.parquet")
    return tmp_path


def partition(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli.main, ["partition", *arguments])


def amaas(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [*COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden things too."""
    return sorted(path.name for path in folder.iterdir())


def part_rows(plan: Plan) -> list[int]:
    """How many rows the reference function puts into each part of the table."""
    table = Table.open("table.parquet")
    rows = table.scan().collect()
    fitted = fit(plan, table)
    numbers = fitted.part_numbers(rows, pl.arange(len(rows), eager=True).to_numpy())
    return [int((numbers == part).sum()) for part in range(fitted.row_parts)]


def test_a_table_is_cut_and_a_person_is_told_how():
    done = amaas("table.parquet", "parts", "--by", "hash:user:4:nulls=3")
    assert (done.returncode, done.stderr) == (0, "")
    sizes = part_rows(Plan.hash("user", 4, nulls=3))
    assert Parts.open("parts").plan == Plan.hash("user", 4, nulls=3)
    first, head, *lines = done.stdout.splitlines()
    assert first.endswith("table.parquet: 1,000 rows, hash of user into 4 parts")
    assert head.split() == ["part", "rows", "share", "bytes", "user"]
    cells = [line.split() for line in lines[:4]]
    assert [row[:3] for row in cells] == [
        [str(part), str(size), f"{size / ROWS:.1%}"] for part, size in enumerate(sizes)
    ]
    assert [int(row[3].replace(",", "")) for row in cells] == [
        sum(file.stat().st_size for file in Path(f"parts/part={part}").iterdir())
        for part in range(4)
    ]
    users = pl.read_parquet("parts/part=2/*.parquet")["user"]
    assert cells[2][4:] == [str(users.min()), "…", str(users.max())]
    assert f"skew {max(sizes) / (ROWS / 4):.2f}: the largest part is" in done.stdout
    assert lines[-1].startswith("engine local, ")


def test_a_script_is_told_in_json():
    texts = ["hash:name:3", "columns:who=user,name,note|rest=at,day,x,y,small,flag:row_id"]
    done = partition("table.parquet", "parts", "--by", texts[0], "--by", texts[1], "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    manifest = json.loads(Path("parts/manifest.json").read_text())
    for name in ("source", "engine", "versions", "rows", "checksum", "notes"):
        assert told[name] == manifest[name]
    assert [part["checksum"] for part in told["parts"]] == [
        part["checksum"] for part in manifest["parts"]
    ]
    assert (told["by"], told["target"]) == (texts, "parts")
    sizes = part_rows(plan_from_text(texts[:1]))
    assert [part["rows"] for part in told["parts"]] == [size for size in sizes for _ in range(2)]
    assert told["skew"] == pytest.approx(max(sizes) / (ROWS / 3))
    assert told["seconds"] > 0


def test_keys_that_are_times_are_shown_as_times():
    done = partition("table.parquet", "parts", "--by", "window:at:2026-03-29:6h")
    assert done.exit_code == 0
    first = pl.read_parquet("parts/part=0/*.parquet")["at"]
    assert f"{first.min()} … {first.max()}" in done.stdout
    done = partition("table.parquet", "days", "--by", "range:day:1970-01-01")
    assert " … 1969-12-31\n" in done.stdout


def test_of_many_parts_the_first_are_shown():
    done = partition("table.parquet", "parts", "--by", "round_robin:50")
    assert len([line for line in done.stdout.splitlines() if " 2.0% " in line]) == 40
    assert "… and 10 more" in done.stdout


def test_parts_without_rows_are_listed_where_they_are_few():
    done = partition("table.parquet", "few", "--by", "range:row_id:-9,-8,-7")
    assert done.stdout.count(" 0.0% ") == 3
    assert "are empty" not in done.stdout
    done = partition("table.parquet", "many", "--by", "range:row_id:-9,-8,-7,-6")
    assert done.stdout.splitlines()[2].split()[:3] == ["4", "1,000", "100.0%"]
    assert done.stdout.splitlines()[3] == "4 parts are empty"
    assert "5 parts in many" in done.stdout


REST = "at,day,name,note,x,y,small,flag"


def test_groups_of_columns_are_named_and_have_no_skew():
    done = partition("table.parquet", "parts", "--by", f"columns:who=user|{REST}:row_id")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[2].startswith("0 (who) ")
    assert lines[3].startswith("1 (at, day, name, note, x,…) ")
    assert "skew" not in done.stdout
    by = ("--by", "hash:user:2", "--by", f"columns:who=user|{REST}:row_id")
    done = partition("table.parquet", "both", *by)
    assert "skew 1.0" in done.stdout
    assert " (who), with " in done.stdout


def test_a_width_is_told_in_units():
    done = partition("table.parquet", "parts", "--by", "window:at:2026-03-29:1d")
    assert "rows, windows of 1 day of at from 2026-03-29" in done.stdout.splitlines()[0]


def test_a_plan_is_written_and_cuts_again():
    done = partition("table.parquet", "parts", "--by", "range:x:-1,0,1", "--save-plan", "plan.json")
    assert done.exit_code == 0
    assert Plan.load("plan.json") == Plan.range("x", [-1, 0, 1])
    done = partition("table.parquet", "again", "--plan", "plan.json", "--json")
    assert json.loads(done.stdout)["checksum"] == Parts.open("parts").manifest.checksum
    assert Parts.open("again").plan == Parts.open("parts").plan


def test_a_plan_is_not_written_over_a_file_or_into_nowhere():
    Path("plan.json").write_text("precious")
    cut = ("table.parquet", "parts", "--by", "round_robin:2", "--save-plan")
    done = partition(*cut, "plan.json")
    assert (done.exit_code, "plan.json, which exists" in done.stderr) == (1, True)
    assert Path("plan.json").read_text() == "precious"
    done = partition(*cut, "none/plan.json")
    assert (done.exit_code, "mkdir -p none" in done.stderr) == (1, True)
    assert not Path("parts").exists()
    done = partition(*cut, ".", "--force")
    assert (done.exit_code, "., a folder" in done.stderr) == (1, True)
    assert not Path("parts").exists()
    assert partition(*cut, "plan.json", "--force").exit_code == 0
    assert Plan.load("plan.json") == Plan.round_robin(2)


def test_whole_parts_are_verified():
    partition("table.parquet", "parts", "--by", "hash:user:4")
    done = amaas("verify", "parts")
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 parts of 1,000 rows" in done.stdout
    assert "hash of user into 4 parts" in done.stdout
    assert "All is well" in done.stdout


def test_a_row_that_was_changed_is_found_with_and_without_its_table(here):
    partition("table.parquet", "parts", "--by", "hash:user:4")
    file = next(Path("parts/part=1").iterdir())
    rows = pl.read_parquet(file)
    rows.with_columns(pl.lit(0.5).alias("x")).write_parquet(file)
    done = partition("verify", "parts", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert any("part 1" in problem for problem in told["problems"])
    Path("table.parquet").rename("moved.parquet")
    done = partition("verify", "parts")
    assert (done.exit_code, "part 1" in done.stdout) == (1, True)
    assert "table.parquet is not there" in done.stdout
    done = partition("verify", "parts", "--source", "moved.parquet")
    assert (done.exit_code, "is not there" in done.stdout) == (1, False)


def test_without_the_table_the_answer_begins_with_what_was_not_compared():
    partition("table.parquet", "parts", "--by", "hash:user:4")
    Path("table.parquet").unlink()
    done = partition("verify", "parts")
    assert done.exit_code == 0
    _, cut, verdict, why = done.stdout.splitlines()
    assert cut == "hash of user into 4 parts"
    assert verdict.endswith("but were not compared with their table:")
    assert "table.parquet is not there" in why
    assert "also without the table" in partition("verify", "--help").stdout


def test_a_table_to_compare_with_must_be_there():
    partition("table.parquet", "parts", "--by", "hash:user:4")
    done = partition("verify", "parts", "--source", "none.parquet")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no file or folder none.parquet" in done.stderr
    assert "cut" not in done.stderr


def test_a_part_that_is_gone_is_found():
    partition("table.parquet", "parts", "--by", "hash:user:4")
    file = next(Path("parts/part=3").iterdir())
    file.unlink()
    done = partition("verify", "parts")
    assert (done.exit_code, f"part=3/{file.name} is missing" in done.stdout) == (1, True)


def test_what_is_no_partition_cannot_be_verified():
    done = partition("verify", "none")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "none/manifest.json" in done.stderr


def test_an_address_is_named_as_it_was_written():
    assert "in hdfs://host:9000/parts\n" in partition("verify", "hdfs://host:9000/parts").stderr
    partition("table.parquet", "parts", "--by", "round_robin:2")
    done = partition("verify", "parts", "--source", "hdfs://host:9000/table.parquet")
    assert "at hdfs://host:9000/table.parquet\n" in done.stderr


def test_a_table_that_is_called_verify():
    Path("verify").mkdir()
    Path("table.parquet").rename("verify/table.parquet")
    assert partition("./verify", "parts", "--by", "round_robin:2").exit_code == 0
    assert partition("--by", "round_robin:2", "--", "verify", "parts2").exit_code == 0
    assert Parts.open("parts").rows == Parts.open("parts2").rows == ROWS


def test_the_help_tells_of_both_commands_all_forms_and_all_engines():
    done = partition("--help")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: main partition [OPTIONS] SOURCE TARGET")
    assert "\nCommands:\n  verify  Hold parts" in done.output
    for kind, (_, example) in FORMS.items():
        assert f"{kind}:" in done.output
        assert example in done.output
    assert f"One of {', '.join(ENGINES)}." in done.output
    assert partition("verify", "-h").output.startswith("Usage: main partition verify [OPTIONS] T")


MISUSED = {
    "nothing": ([], "Missing argument 'SOURCE'"),
    "no target": (["table.parquet"], "Missing argument 'TARGET'"),
    "no cut": (["table.parquet", "parts"], "--by, as often as you like, or with --plan"),
    "two ways to cut": (
        ["table.parquet", "parts", "--by", "round_robin:2", "--plan", "plan.json"],
        "--by, as often as you like, or with --plan",
    ),
    "a cluster of the local engine": (
        ["table.parquet", "parts", "--by", "round_robin:2", "--cluster", "http://127.0.0.1:1"],
        "works in this process",
    ),
    "Java's memory of the local engine": (
        ["table.parquet", "parts", "--by", "round_robin:2", "--memory", "2g"],
        "works in this process",
    ),
    "an option that is none": (["table.parquet", "parts", "--parts", "3"], "No such option"),
}


@pytest.mark.parametrize("name", MISUSED)
def test_a_command_that_is_not_understood_is_exit_status_2(name, here):
    arguments, words = MISUSED[name]
    done = partition(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (here / "parts").exists()


def write_empty() -> None:
    hard_table(10, seed=1).clear().write_parquet("other.parquet")


def write_one_row() -> None:
    hard_table(10, seed=1).head(1).write_parquet("other.parquet")


def write_nan() -> None:
    pl.DataFrame({"x": [1.0, float("nan"), 2.0]}).write_parquet("other.parquet")


def write_cut_short() -> None:
    content = Path("table.parquet").read_bytes()
    Path("other.parquet").write_bytes(content[: len(content) // 2])


def write_broken_line() -> None:
    Path("other.csv").write_text('id,name\n1,a\n2,b,c\n3,"d"\n')


def write_no_parquet() -> None:
    Path("other.parquet").write_text("id,name\n")


def write_a_plan_that_is_none() -> None:
    Path("plan.json").write_text('{"format": 99}')


def write_nothing() -> None:
    pass


BAD = {
    "no column": (write_nothing, "table.parquet", ["--by=hash:usr:2"], ["'usr'", "'user'"]),
    "no column to group": (
        write_nothing,
        "table.parquet",
        ["--by=columns:usr|at:row_id"],
        ["'usr'"],
    ),
    "a column in no group": (
        write_nothing,
        "table.parquet",
        ["--by=columns:user|at:row_id"],
        ["in no group: name, day"],
    ),
    "hash of numbers with a fraction": (
        write_nothing,
        "table.parquet",
        ["--by=hash:x:2"],
        ["x: Float64"],
    ),
    "window of text": (
        write_nothing,
        "table.parquet",
        ["--by=window:name:2026-01-01:1h"],
        ["name: String"],
    ),
    "a width with a unit for numbers": (
        write_nothing,
        "table.parquet",
        ["--by=window:row_id:0:6h"],
        ["window:row_id:0:6h", "21600000"],
    ),
    "numbers for text": (
        write_nothing,
        "table.parquet",
        ["--by=range:name:1,2"],
        ["name: String, and 1", "quoted text for text"],
    ),
    "dates for numbers": (
        write_nothing,
        "table.parquet",
        ["--by=range:x:2026-01-01"],
        ["x: Float64"],
    ),
    "unsorted bounds": (write_nothing, "table.parquet", ["--by=range:x:1,0"], ["0 behind 1"]),
    "equal bounds": (write_nothing, "table.parquet", ["--by=range:x:1,1"], ["1 behind 1"]),
    "no parts": (write_nothing, "table.parquet", ["--by=hash:user:0"], ["parts=0"]),
    "negative parts": (write_nothing, "table.parquet", ["--by=round_robin:-2"], ["parts=-2"]),
    "parts in words": (write_nothing, "table.parquet", ["--by=hash:user:two"], ["'two'"]),
    "more parts than rows": (
        write_nothing,
        "table.parquet",
        ["--by=hash:user:1001"],
        ["rows: 1,000, parts: 1,001"],
    ),
    "an unknown cut": (write_nothing, "table.parquet", ["--by=hsh:user:2"], ["mean 'hash'"]),
    "rows before the windows": (
        write_nothing,
        "table.parquet",
        ["--by=window:at:2026-04-01:1h"],
        ["at = 2026-03-29"],
    ),
    "an empty table": (write_empty, "other.parquet", ["--by=hash:user:2"], ["other.p", "no row"]),
    "one row in two parts": (
        write_one_row,
        "other.parquet",
        ["--by=hash:user:2"],
        ["other.parquet", "rows: 1, parts: 2"],
    ),
    "NaN": (write_nan, "other.parquet", ["--by=range:x:0"], ["other.p", "x: rows with NaN: 1"]),
    "Parquet that was cut short": (
        write_cut_short,
        "other.parquet",
        ["--by=hash:user:2"],
        ["other.parquet", "cut short"],
    ),
    "text that is called Parquet": (
        write_no_parquet,
        "other.parquet",
        ["--by=hash:id:2"],
        ["other.parquet", "not what its name says"],
    ),
    "CSV with a broken line": (
        write_broken_line,
        "other.csv",
        ["--by=hash:id:2"],
        ["other.csv", "line 3"],
    ),
    "no table": (write_nothing, "none.parquet", ["--by=hash:id:2"], ["none.parquet"]),
    "no plan": (write_nothing, "table.parquet", ["--plan=plan.json"], ["plan.json"]),
    "a plan that is none": (
        write_a_plan_that_is_none,
        "table.parquet",
        ["--plan=plan.json"],
        ["plan.json", "format 99"],
    ),
    "an unknown engine": (
        write_nothing,
        "table.parquet",
        ["--by=hash:user:2", "--engine=sparc"],
        ["'sparc'", "mean 'spark'", "local, spark, flink, hadoop"],
    ),
    "an unknown engine with a cluster": (
        write_nothing,
        "table.parquet",
        ["--by=hash:user:2", "--engine=dask", "--cluster=host:1"],
        ["'dask'"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_cut_is_refused_in_four_lines_and_nothing_is_left(name, here):
    write, source, options, words = BAD[name]
    write()
    before = names(here)
    done = partition(source, "parts", *options)
    assert (done.exit_code, done.stdout) == (1, "")
    assert [line.split(":")[0].strip() for line in done.stderr.splitlines()[1:]] == [
        "seen",
        "wrong",
        "fix",
    ]
    for word in words:
        assert word in done.stderr
    assert names(here) == before


def test_one_row_in_one_part_is_a_partition():
    write_one_row()
    done = partition("other.parquet", "parts", "--by", "hash:user:1")
    assert (done.exit_code, "other.parquet: 1 row, hash of" in done.stdout) == (0, True)
    assert "skew" not in done.stdout
    assert "\n1 part in parts, " in done.stdout
    done = partition("verify", "parts")
    assert (done.exit_code, "parts: 1 part of 1 row, " in done.stdout) == (0, True)
    assert Parts.open("parts").scan().collect().height == 1


def test_parts_that_exist_give_way_to_force_alone(here):
    assert partition("table.parquet", "parts", "--by", "hash:user:2").exit_code == 0
    done = partition("table.parquet", "parts", "--by", "hash:user:3")
    assert (done.exit_code, "--force" in done.stderr) == (1, True)
    assert len(Parts.open("parts").parts) == 2
    assert partition("table.parquet", "parts", "--by", "hash:user:3", "--force").exit_code == 0
    assert len(Parts.open("parts").parts) == 3
    assert names(here) == ["parts", "table.parquet"]


@pytest.mark.parametrize("content", ["thesis.txt", "part=0", "parts/part=0/notes.txt"])
def test_a_folder_of_others_does_not_give_way_even_to_force(content):
    path = Path("theirs", content)
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    done = partition("table.parquet", "theirs", "--by", "hash:user:2", "--force")
    assert (done.exit_code, "theirs" in done.stderr) == (1, True)
    assert path.read_text() == "precious"


def test_the_table_itself_does_not_give_way():
    before = Path("table.parquet").read_bytes()
    for target in ("table.parquet", "table.parquet/parts"):
        done = partition("table.parquet", target, "--by", "hash:user:2", "--force")
        assert done.exit_code == 1
    assert Path("table.parquet").read_bytes() == before


def test_an_engine_that_is_not_installed_is_named_with_the_command_that_brings_it(here):
    program = (
        "import sys; sys.modules['pyspark'] = None; from amaas_kit.cli import main; "
        "main(['partition', 'table.parquet', 'parts', '--by', 'hash:user:2', '--engine', 'spark'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "pyspark" in done.stderr
    assert 'pip install "amaas-kit[spark]"' in done.stderr
    assert not (here / "parts").exists()


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "local"])
def test_the_cluster_and_the_memory_are_settings_of_the_engine(name, monkeypatch):
    module = importlib.import_module(f"amaas_kit.partition.engines.{name}")
    taken = inspect.signature(getattr(module, ENGINES[name])).parameters
    seen = []

    def local(name, **settings):
        seen.append(settings)
        return engine("local")

    monkeypatch.setattr("amaas_kit.partition.engines.engine", local)
    cut = ["table.parquet", "parts", "--by", "round_robin:2", "--engine", name]
    assert partition(*cut, "--cluster", "there", "--memory", "2g").exit_code == 0
    assert list(seen[0].values()) == ["there", "2g"]
    assert seen[0].keys() <= taken.keys()


@pytest.mark.parametrize(
    ("name", "option", "seen"),
    [
        ("spark", "--cluster=host", "--cluster='host'"),
        ("spark", "--memory=much", '--memory="1g"'),
        ("flink", "--cluster=host", '--cluster="http://'),
        ("flink", "--memory=much", '--memory="1g"'),
        ("hadoop", "--cluster=nowhere", "no folder nowhere"),
        ("hadoop", "--memory=much", '--memory="1g"'),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_as_its_option(name, option, seen):
    done = partition("table.parquet", "parts", "--by=round_robin:2", "--engine", name, option)
    assert (done.exit_code, done.stdout) == (1, "")
    assert seen in done.stderr
    for word in (" memory=", " master=", " address=", "reducers"):
        assert word not in done.stderr


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "local"])
def test_a_cluster_that_is_not_there_is_named(name, here):
    """Whatever is there instead: nobody listens at that port, and no such folder exists."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = {"spark": f"spark://127.0.0.1:{port}", "flink": f"http://127.0.0.1:{port}"}
    cluster = address.get(name, str(here / "configuration"))
    done = partition(
        "table.parquet", "parts", "--by=round_robin:2", "--engine", name, "--cluster", cluster
    )
    assert (done.exit_code, cluster in done.stderr, done.stdout) == (1, True, "")
    assert names(here) == ["table.parquet"]


@pytest.mark.skipif(os.name == "nt", reason="needs hardware: a system with signals")
@pytest.mark.parametrize("replaced", [False, True])
def test_ctrl_c_leaves_everything_as_it_was(replaced, here):
    hard_table(3_000_000, seed=1).write_parquet("large.parquet")
    if replaced:
        partition("table.parquet", "parts", "--by", "hash:user:3")
    before = names(here)
    command = [*COMMAND, "large.parquet", "parts", "--by", "hash:user:8", "--force"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + SECONDS
        while not list(here.glob(".parts.*.cutting/data/part=*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "Stopped.\n" in told
    assert names(here) == before
    if replaced:
        assert partition("verify", "parts").exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="needs hardware: a system with terminals")
def test_on_a_terminal_progress_is_shown_and_goes_away():
    import pty

    terminal, other_end = pty.openpty()
    command = [*COMMAND, "table.parquet", "parts", "--by", "hash:user:2", "--json"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=other_end, text=True, env=environment
    ) as process:
        os.close(other_end)
        shown = read_all(terminal)
        told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert json.loads(told)["rows"] == ROWS
    assert "reading the parts back" in shown
    assert shown.endswith("\x1b[2K")


def read_all(descriptor: int) -> str:
    """What is written to a terminal until its other end is closed."""
    found = b""
    try:
        while block := os.read(descriptor, 4096):
            found += block
    except OSError:  # how Linux says that nobody writes there any more
        pass
    os.close(descriptor)
    return found.decode()
