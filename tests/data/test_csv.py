"""CSV files: against the csv module and Polars, and every way in which one can be wrong."""

import csv
import io

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amaas_kit.data import Dataset
from amaas_kit.errors import DataError

IRIS = "width,length,kind\n1.5,2,setosa\n3,4.25,virginica\n5e-1,-6,setosa\n"


@pytest.fixture
def table(tmp_path):
    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_features_columns_labels_and_name_are_read(table):
    data = Dataset.from_csv(table(IRIS), target="kind")
    assert data.x.tolist() == [[1.5, 2], [3, 4.25], [0.5, -6]]
    assert data.y.tolist() == [0, 1, 0]
    assert data.columns == ("width", "length")
    assert data.labels == ("setosa", "virginica")
    assert data.name == "table.csv"


names = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=8,
).filter(lambda name: not name.startswith("\ufeff") and any(c.isalpha() for c in name))
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    st.lists(names, min_size=2, max_size=6, unique=True),
    st.data(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_the_csv_module_writes_is_read_back(tmp_path, header, draw, mark, end, bom, quoting):
    width = len(header)
    rows = draw.draw(st.lists(st.tuples(*[numbers] * width), min_size=1, max_size=8))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=mark, lineterminator=end, quoting=quoting)
    writer.writerows([header, *rows])
    path = tmp_path / "drawn.csv"
    path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    data = Dataset.from_csv(path, header[-1], separator=mark, task="regression")
    assert data.columns == tuple(header[:-1])
    assert data.x.tolist() == [list(row[:-1]) for row in rows]
    assert data.y.tolist() == [row[-1] for row in rows]


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(6, 60))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_polars_reads_the_same_numbers(tmp_path, seed, width, rows):
    generator = np.random.default_rng(seed)
    frame = pl.DataFrame({f"f{i}": generator.normal(size=rows) for i in range(width)})
    frame = frame.with_columns(kind=pl.Series(generator.permutation(np.arange(rows) % 3)))
    frame.write_csv(tmp_path / "polars.csv")
    read = pl.read_csv(tmp_path / "polars.csv")
    data = Dataset.from_csv(tmp_path / "polars.csv", "kind")
    assert (data.x == read.drop("kind").to_numpy().astype(np.float32)).all()
    assert (data.y == read["kind"].to_numpy()).all()


def test_a_file_longer_than_one_chunk_keeps_its_order_and_its_row_numbers(table, monkeypatch):
    monkeypatch.setattr("amaas_kit.data.csv_file.ROWS_AT_ONCE", 7)
    lines = [f"{i},{i % 3}" for i in range(50)]
    path = table("\n".join(["a,t", *lines]))
    assert Dataset.from_csv(path, "t").x[:, 0].tolist() == list(range(50))
    lines[30] = "x,0"
    with pytest.raises(DataError, match=r"row 31 \(line 32\), column 'a'"):
        Dataset.from_csv(table("\n".join(["a,t", *lines])), "t")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_found(table, mark):
    content = IRIS.replace(",", mark).replace("width", f'"wi{mark}d,t"')
    data = Dataset.from_csv(table(b"\xef\xbb\xbf" + content.encode()), "kind")
    assert data.columns == (f"wi{mark}d,t", "length")
    assert data.rows == 3


def test_a_separator_that_is_said_wins(table):
    data = Dataset.from_csv(table("a;b:t\n1:2\n3:4\n5:9\n"), "t", separator=":")
    assert data.columns == ("a;b",)


def test_chosen_columns_are_read_in_the_order_asked_for(table):
    path = table(",id,b,a,t\n0,x,1,2,0.5\n1,y,3,4,1.5\n")
    data = Dataset.from_csv(path, "t", columns=["a", "b"])
    assert data.columns == ("a", "b")
    assert data.x.tolist() == [[2, 1], [4, 3]]


def test_blank_lines_are_passed_over_and_still_counted(table):
    with pytest.raises(DataError, match=r"row 2 \(line 6\)"):
        Dataset.from_csv(table('\na,t\n1,"two\nlines"\n\nx,b\n'), "t")
    assert Dataset.from_csv(table("\na,t\n1,u\n\n2,v\n\n"), "t").rows == 2


def test_name_and_bounds_are_passed_on(table):
    data = Dataset.from_csv(table(IRIS), "kind", name="iris", bounds=(-10, 10))
    assert (data.name, data.bounds) == ("iris", (-10.0, 10.0))


def rule_of(table, cells, **options):
    rows = "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))
    return Dataset.from_csv(table("a,t\n" + rows), "t", **options)


def test_the_rule_takes_text_and_few_whole_numbers_for_classes(table):
    assert rule_of(table, ["b", "a", "b"]).labels == ("a", "b")
    assert rule_of(table, [3, 1, 3, 1]).labels == (1, 3)
    assert rule_of(table, ["3.0", "1.0", "3.0", "1.0"]).labels == (1, 3)
    assert rule_of(table, [i % 50 for i in range(100)]).classes == 50


def test_the_rule_takes_fractions_and_many_whole_numbers_for_values(table):
    assert rule_of(table, [1.5, 1.0, 2.0, 1.0]).task == "regression"
    assert rule_of(table, [i % 51 for i in range(200)]).task == "regression"
    assert rule_of(table, [1, 2, 3]).task == "regression"


def test_a_task_overrules_the_rule(table):
    assert rule_of(table, [1, 2, 3], task="classification").labels == (1, 2, 3)
    assert rule_of(table, [0, 1, 0, 1], task="regression").y.dtype == np.float32
    assert rule_of(table, ["1", "2", "none"], task="classification").labels == ("1", "2", "none")
    assert rule_of(table, [0.5, 1.5], task="classification").labels == ("0.5", "1.5")
    with pytest.raises(DataError, match="'red'"):
        rule_of(table, ["red", "blue"], task="regression")
    with pytest.raises(DataError, match="task='clustering'"):
        rule_of(table, [1, 2], task="clustering")


WRONG = {
    "an empty file": ("", "", "no line"),
    "only blank lines": ("\n\n", "", "no line"),
    "only a header": ("a,t\n", "", "no row"),
    "no header": ("1.5,2\n3,4\n", "", "numbers in the first line"),
    "a row too short": ("a,b,t\n1,2,0\n1,0\n", "line 3", "fields: 2, names in the header: 3"),
    "a row too long": ("a,t\n1,0\n1,2,0\n", "line 3", "fields: 3, names in the header: 2"),
    "a last row cut short": ("a,b,t\n1,2,0\n1,", "line 3", "fields: 2"),
    "a quote not closed": ('a,t\n1,"x\n2,y\n', "from line 2", "unexpected end of data"),
    "a quote inside a field": ('a,t\n1,"x"y\n', "from line 2", "expected after"),
    "text in a number column": ("a,t\n1,0\nred,1\n", "row 2 (line 3), column 'a'", "'red'"),
    "a decimal comma": ("a;t\n1,5;0\n", "row 1 (line 2), column 'a'", "'1,5'"),
    "an empty field": ("a,t\n1,0\n,1\n", "row 2 (line 3), column 'a'", "nothing"),
    "a null word": ("a,t\nNA,0\n", "row 1 (line 2), column 'a'", "'NA'"),
    "NaN": ("a,t\nnan,0\n", "row 1 (line 2), column 'a'", "'nan'"),
    "infinity": ("a,t\n-inf,0\n", "row 1 (line 2), column 'a'", "'-inf'"),
    "beyond float32": ("a,t\n1e39,0\n", "row 1 (line 2), column 'a'", "'1e39'"),
    "beyond float64": ("a,t\n1e400,0\n", "row 1 (line 2), column 'a'", "'1e400'"),
    "Python's digit groups": ("a,t\n1_000,0\n", "row 1 (line 2), column 'a'", "'1_000'"),
    "digits of another script": ("a,t\n\uff11,0\n", "row 1 (line 2), column 'a'", "'\uff11'"),
    "an empty target": ("a,t\n1,0\n2,\n", "row 2 (line 3), column 't'", "nothing"),
    "NaN target": ("a,t\n1,0.5\n2,nan\n", "row 2 (line 3), column 't'", "'nan'"),
    "text among number targets": ("a,t\n1,0\n2,red\n", "row 2 (line 3), column 't'", "'red'"),
    "one class only": ("a,t\n1,x\n2,x\n", "table.csv", "one class"),
    "a column named twice": ("a,b,a,t\n1,2,3,0\n", "", "'a' over the columns 1, 3"),
    "the target named twice": ("t,a,t\n1,2,3\n", "", "'t' over the columns 1, 3"),
    "a column without a name": (",a,t\n0,1,0\n", "", "no name over column 1"),
    "no target column": ("a,b\n1,2\n", "", "no column 't'; the file has 'a', 'b'"),
    "no feature": ("t\n1\n", "", "the features none"),
    "not UTF-8": (b"a,t\n1,caf\xe9\n", "line 2", "0xe9"),
    "UTF-16": ("a,t\n1,2\n".encode("utf-16"), "line 1", "0xff"),
}


@pytest.mark.parametrize(("content", "where", "quoted"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_with_its_place(table, content, where, quoted):
    with pytest.raises(DataError) as caught:
        Dataset.from_csv(table(content), "t")
    assert "table.csv" in caught.value.situation
    assert where in caught.value.situation
    assert quoted in caught.value.seen
    assert caught.value.wrong
    assert caught.value.fix


@pytest.mark.parametrize(
    ("options", "quoted"),
    [
        ({"columns": ["width", "depth"]}, "no column 'depth'"),
        ({"columns": ["width", "width"]}, "'width', 'width'"),
        ({"columns": ["width", "kind"]}, "target='kind'"),
        ({"columns": []}, "features none"),
        ({"separator": ";;"}, "separator=';;'"),
        ({"separator": '"'}, "separator='\"'"),
    ],
)
def test_an_argument_that_does_not_fit_the_file_is_quoted(table, options, quoted):
    with pytest.raises(DataError) as caught:
        Dataset.from_csv(table(IRIS), "kind", **options)
    assert quoted in caught.value.seen


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DataError, match="nothing of this name") as caught:
        Dataset.from_csv(tmp_path / "absent.csv", "t")
    assert "absent.csv" in caught.value.situation
    with pytest.raises(DataError, match="a folder"):
        Dataset.from_csv(tmp_path, "t")


def test_a_file_cut_anywhere_is_refused_or_reads_as_what_is_left(table):
    whole = 'a,b,t\n1,2,"x"\n3,4,"y"\n5,6,"x"\n'
    refused = 0
    for length in range(len(whole)):
        try:
            data = Dataset.from_csv(table(whole[:length]), "t")
        except DataError:
            refused += 1
        else:
            assert data.x.tolist() == [[1, 2], [3, 4], [5, 6]][: data.rows]
            assert whole[:length].endswith(('"', "\n"))
    assert refused > 20
