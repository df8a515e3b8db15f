"""The exercises of notebooks/00_start_here: a baseline, a prediction, a report."""

from __future__ import annotations

import functools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from amaas_kit import doctor
from amaas_kit.data import read_digits
from amaas_kit.errors import RequestError
from amaas_kit.exercises import compare, describe
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.serving.contract import Contract

WIDTH = 64
LIMIT = 1024
REFUSED = "refused"


# The trivial baseline


def _draw_labels(rng: np.random.Generator) -> dict[str, Any]:
    """A few labels of a few classes; one list in four holds a single label."""
    classes = rng.choice(10, size=rng.integers(2, 6), replace=False)
    shares = rng.dirichlet(np.ones(len(classes)))
    count = 1 if rng.random() < 0.25 else rng.integers(4, 13)
    return {"labels": rng.choice(classes, size=count, p=shares).tolist()}


def _share_of_the_most_frequent(labels: list[int]) -> float:
    _, counts = np.unique(labels, return_counts=True)
    return float(counts.max() / counts.sum())


def _judge_share(result: Any, labels: list[int]) -> Complaint | None:
    """Compare a share, which may also be one of Python's exact numbers."""
    got = float(result) if isinstance(result, Fraction | Decimal) else result
    text = compare.difference(_share_of_the_most_frequent(labels), got)
    return Complaint(text) if text else None


def baseline(labels):  # type: ignore[no-untyped-def]
    most = max(labels.count(label) for label in labels)
    return most / len(labels)


def _one_of_those_that_occur(labels: list[int]) -> float:
    return 1 / len(set(labels))


def _one_in_ten(labels: list[int]) -> float:
    return 1 / 10


def _most(labels: list[int]) -> int:
    return max(labels.count(label) for label in labels)


def _most_frequent_label(labels: list[int]) -> int:
    return max(labels, key=labels.count)


def _smallest_of_the_most_frequent(labels: list[int]) -> int:
    return max(sorted(labels), key=labels.count)


def _share_of_the_first(labels: list[int]) -> float:
    return labels.count(labels[0]) / len(labels)


def _share_of_the_greatest(labels: list[int]) -> float:
    return labels.count(max(labels)) / len(labels)


def _per_class(labels: list[int]) -> float:
    return _most(labels) / len(set(labels))


def _in_percent(labels: list[int]) -> float:
    return 100 * _most(labels) / len(labels)


LABEL_ITSELF = (
    "You returned the most frequent label itself. It is the answer that is always given; what was "
    "asked for is the share of the labels that equal it."
)

trivial_baseline = Exercise(
    name="trivial_baseline",
    lesson="start_here",
    title="A trivial baseline",
    statement="""
Somebody answers every question with the same digit, the one that occurs most often, and never looks
at an image. How often is that right?

Write `baseline(labels)`. `labels` is a list of at least one whole number, the true answers, such as
`[3, 7, 3, 1]`. Return the share of them that is right when the most frequent label is the answer to
all: a number above 0 and up to 1. For the example that is 0.5, two of four.
""",
    draw=_draw_labels,
    solution=baseline,
    judge=_judge_share,
    demands="how often the most frequent label occurs, divided by how many labels there are",
    mistakes=(
        Mistake(
            "one_of_those_that_occur",
            _one_of_those_that_occur,
            "You divided 1 by the number of different labels. That is what guessing at random "
            "reaches. Always answering the most frequent label does at least as well, and better "
            "where one label occurs more often than others: count it.",
        ),
        Mistake(
            "one_in_ten",
            _one_in_ten,
            "You answered 1/10 whatever the labels are. There are ten digits, but one of them may "
            "occur far more often than once in ten: count the labels that were given.",
        ),
        Mistake(
            "count_instead_of_share",
            _most,
            "You returned how many answers are right. A share was asked for: divide by the number "
            "of all labels.",
        ),
        Mistake("label_instead_of_share", _most_frequent_label, LABEL_ITSELF),
        Mistake("smallest_label_on_a_tie", _smallest_of_the_most_frequent, LABEL_ITSELF),
        Mistake(
            "share_of_the_first",
            _share_of_the_first,
            "You counted the label that comes first. The first need not be the most frequent one: "
            "compare the counts of all labels.",
        ),
        Mistake(
            "share_of_the_greatest",
            _share_of_the_greatest,
            "You took the greatest label, `max(labels)`. What has to be greatest is how often a "
            "label occurs, not the label.",
        ),
        Mistake(
            "divided_by_classes",
            _per_class,
            "You divided by the number of different labels. A share is a part of the whole: "
            "divide by the number of all labels.",
        ),
        Mistake(
            "percent",
            _in_percent,
            "You returned percent. The share itself is a number up to 1: leave the factor 100 out.",
        ),
    ),
    hints=(
        "`labels.count(3)` says how often 3 occurs in a list.",
        "Count each of the labels, and take the greatest of these counts.",
        "`max(labels.count(label) for label in labels)` is that count. Divide it by `len(labels)`.",
    ),
    core=False,
    draws=100,
)


# What comes back from the service


def _draw_shape(rng: np.random.Generator) -> dict[str, Any]:
    few = int(rng.integers(1, 9))
    many = int(rng.integers(LIMIT + 2, 4 * LIMIT))
    width = int(rng.choice([1, 8, 32, 63, 65, 128, 784, 1024]))
    wide = int(rng.integers(WIDTH + 1, 2 * LIMIT))
    middling = int(rng.integers(10, LIMIT - 1))
    shapes: list[tuple[int, ...]] = [
        *((1, WIDTH), (few + 1, WIDTH), (LIMIT, WIDTH), (few, width), (few, wide), (8, 8)),
        *((0, WIDTH), (LIMIT + 1, WIDTH), (many, WIDTH), (0, width), (many, 8)),
        *((middling, WIDTH), (LIMIT - 1, WIDTH)),
        *((), (WIDTH,), (few,), (few * WIDTH,), (many,)),
        *((1, 8, 8), (few, 8, 8), (many, 8, 8), (few, WIDTH, 1), (few, 8, WIDTH)),
        *((few, 8, 8, 1), (few, WIDTH, 8, 8), (1, 1, 1, WIDTH)),
    ]
    return {"shape": shapes[rng.integers(len(shapes))]}


@functools.cache
def _digits_contract() -> Contract:
    """The contract that the lesson's service has: `package` derives it from the digits."""
    return Contract.from_data(read_digits())


@functools.cache
def labels_in_the_answer(shape: tuple[int, ...]) -> int | str:
    """What the digits' service answers to zeros of a shape, by its own contract.

    Args:
        shape: of the array that is sent.

    Returns:
        How many labels come back, or `REFUSED`.
    """
    try:
        return len(_digits_contract().check(np.zeros(shape)))
    except RequestError:
        return REFUSED


def _judge_reply(result: Any, shape: tuple[int, ...]) -> Complaint | None:
    """Compare a prediction with what the contract says, in the words of the lesson."""
    answer = labels_in_the_answer(shape)
    if compare.difference(answer, result) is None:
        return None
    if isinstance(result, str) and result.strip() == str(answer):
        return Complaint("The number is right, but it is a text.", "number_as_text")
    if answer != REFUSED:
        return _wrong_for_an_answer(result, shape, int(answer))
    if isinstance(result, str) and result.strip("\"'. ").lower() == REFUSED:
        return Complaint(f'That is meant well; write the text exactly like this: "{REFUSED}".')
    text = f"The service refuses an array of shape {shape}."
    if isinstance(result, str) and not result.strip().isdecimal():
        return Complaint(f'{text} The text for that is "{REFUSED}".', "another_word")
    return Complaint(text)


def _wrong_for_an_answer(result: Any, shape: tuple[int, ...], count: int) -> Complaint:
    """What to say of a wrong prediction where the service answers."""
    labels = "1 label" if count == 1 else f"{count} labels"
    text = f"The service answers an array of shape {shape} with {labels}."
    if not isinstance(result, list | tuple | np.ndarray):
        return Complaint(text)
    as_many = np.ndim(result) > 0 and len(result) == count
    text += f" You returned {describe.kind(result)}, where a number is asked for."
    return Complaint(text, "labels_instead_of_count" if as_many else None)


def labels_in_reply(shape):  # type: ignore[no-untyped-def]
    if len(shape) != 2:
        return "refused"
    rows, columns = shape
    if columns == 64 and 1 <= rows <= 1024:
        return rows
    return "refused"


def _numbers(shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    return rows if rows == REFUSED else int(rows) * WIDTH


def _probabilities(shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    return rows if rows == REFUSED else int(rows) * 10


def _first_entry(shape: tuple[int, ...]) -> int:
    return shape[0]


def _any_width(shape: tuple[int, ...]) -> int | str:
    return shape[0] if len(shape) == 2 and 1 <= shape[0] <= LIMIT else REFUSED


def _any_table(shape: tuple[int, ...]) -> int | str:
    return shape[0] if len(shape) == 2 else REFUSED


def _flat_row_taken(shape: tuple[int, ...]) -> int | str:
    return 1 if shape == (WIDTH,) else labels_in_the_answer(shape)


def _images_taken(shape: tuple[int, ...]) -> int | str:
    few = shape[1:] == (8, 8) and 1 <= shape[0] <= LIMIT
    return shape[0] if few else labels_in_the_answer(shape)


def _any_number_of_images_taken(shape: tuple[int, ...]) -> int | str:
    return shape[0] if shape[1:] == (8, 8) else labels_in_the_answer(shape)


def _reshaped(shape: tuple[int, ...]) -> int | str:
    rows, left = divmod(int(np.prod(shape)), WIDTH)
    return rows if left == 0 and 1 <= rows <= LIMIT else REFUSED


def _nothing_answered(shape: tuple[int, ...]) -> int | str:
    return 0 if shape == (0, WIDTH) else labels_in_the_answer(shape)


def _no_limit(shape: tuple[int, ...]) -> int | str:
    return shape[0] if len(shape) == 2 and shape[1] == WIDTH and shape[0] else REFUSED


def _neither_nothing_nor_limit(shape: tuple[int, ...]) -> int | str:
    return shape[0] if len(shape) == 2 and shape[1] == WIDTH else REFUSED


def _limit_excluded(shape: tuple[int, ...]) -> int | str:
    return REFUSED if shape == (LIMIT, WIDTH) else labels_in_the_answer(shape)


def _silent_refusal(shape: tuple[int, ...]) -> int | str | None:
    rows = labels_in_the_answer(shape)
    return None if rows == REFUSED else rows


def _number_as_text(shape: tuple[int, ...]) -> str:
    return str(labels_in_the_answer(shape))


def _two_entries_taken_for_granted(shape: tuple[int, ...]) -> int | str:
    rows, columns = shape
    return rows if columns == WIDTH and 1 <= rows <= LIMIT else REFUSED


def _second_entry_taken_for_granted(shape: tuple[int, ...]) -> int | str:
    return shape[0] if shape[1] == WIDTH and 1 <= shape[0] <= LIMIT else REFUSED


def _last_entry_taken(shape: tuple[int, ...]) -> int | str:
    return shape[0] if shape[-1] == WIDTH and 1 <= shape[0] <= LIMIT else REFUSED


def _single_row_refused(shape: tuple[int, ...]) -> int | str:
    return REFUSED if shape == (1, WIDTH) else labels_in_the_answer(shape)


def _number_for_refused(number: int, shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    return number if rows == REFUSED else rows


def _another_word(shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    return "refuse" if rows == REFUSED else rows


def _name_without_quotes(shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    if rows == REFUSED:
        return refused  # type: ignore[name-defined]  # noqa: F821
    return rows


def _raised_instead(shape: tuple[int, ...]) -> int | str:
    rows = labels_in_the_answer(shape)
    if rows == REFUSED:
        raise ValueError(REFUSED)
    return rows


def _labels_instead_of_count(shape: tuple[int, ...]) -> list[int] | str:
    rows = labels_in_the_answer(shape)
    return REFUSED if rows == REFUSED else [0] * int(rows)


def _single_row_only(shape: tuple[int, ...]) -> int | str:
    return 1 if shape == (1, WIDTH) else REFUSED


IMAGES_TAKEN = (
    "You took images of 8 x 8 for rows of 64. The numbers are as many, but the shape has three "
    "entries, and the service reshapes nothing: it refuses them."
)
NUMBER_FOR_REFUSED = (
    "The numbers of labels are right. Where the service refuses, you return a number as well; what "
    'is asked for there is the text "refused".'
)

predict_reply = Exercise(
    name="predict_reply",
    lesson="start_here",
    title="What comes back?",
    statement="""
Somebody sends an array of zeros to the service. You know its shape and nothing else. Predict what
comes back.

Write `labels_in_reply(shape)`. `shape` is a tuple of whole numbers, what NumPy calls the shape of
an array: `(3, 64)` is a table of 3 rows of 64 numbers, `(64,)` is one flat list of 64 numbers,
`(3, 8, 8)` is a stack of 3 tables of 8 x 8, and the empty tuple `()` is a single number. Return how
many labels the answer holds, a whole number; or return the text `"refused"` when the service
refuses the request.

The contract of this service: a request is a table with rows of exactly 64 numbers; it has at least
one row and at most 1,024; each row gets one label. Whatever is not such a table is refused as a
whole. Nothing is reshaped, cut or guessed.
""",
    draw=_draw_shape,
    solution=labels_in_reply,
    judge=_judge_reply,
    demands="one label for each row, when the array is a table that keeps the contract: rows of 64 "
    'numbers, at least 1 of them and at most 1,024; the text "refused" for everything else',
    mistakes=(
        Mistake(
            "numbers_instead_of_rows",
            _numbers,
            "You counted the numbers that are sent. Each row is one image and gets one label: "
            "count the rows.",
        ),
        Mistake(
            "probabilities_instead_of_labels",
            _probabilities,
            "You counted ten for each row. Each row gets ten probabilities, one for each digit, "
            "but only one label.",
        ),
        Mistake(
            "first_entry_only",
            _first_entry,
            "You looked at the first entry of the shape only. It is the number of rows, but the "
            "service answers only tables that keep its contract: look also at how many entries "
            "the shape has, at the second one, and at how many rows are allowed.",
        ),
        Mistake(
            "any_width",
            _any_width,
            "You let rows of any width pass. The network has 64 inputs: a row of 63 numbers, or of "
            "65, is refused.",
        ),
        Mistake(
            "any_table",
            _any_table,
            "You let every table pass. The contract also says how long a row must be, and how many "
            "rows there must be at least and at most.",
        ),
        Mistake(
            "flat_row_taken",
            _flat_row_taken,
            "You took 64 numbers in one flat list, shape (64,), for a row. The service does not "
            "guess what was meant: a single row is a table too, of shape (1, 64).",
        ),
        Mistake("images_taken", _images_taken, IMAGES_TAKEN),
        Mistake("any_number_of_images_taken", _any_number_of_images_taken, IMAGES_TAKEN),
        Mistake(
            "reshaped",
            _reshaped,
            "You counted how many times 64 numbers are there, in whatever shape. The service "
            "reshapes nothing: only a shape of two entries, the second one 64, is answered.",
        ),
        Mistake(
            "nothing_answered",
            _nothing_answered,
            "You answered a table without rows with 0 labels. There is nothing to predict in it, "
            "and the service says so: it refuses the request.",
        ),
        Mistake(
            "no_limit",
            _no_limit,
            "You let any number of rows pass. One request has at most 1,024 rows, so that no "
            "caller can keep the service busy for long: more are refused.",
        ),
        Mistake(
            "neither_least_nor_most",
            _neither_nothing_nor_limit,
            "You checked the width and forgot the number of rows: a table without rows is refused, "
            "and so is one of more than 1,024.",
        ),
        Mistake(
            "limit_excluded",
            _limit_excluded,
            "You refused 1,024 rows. They are at most so many, which includes 1,024 itself.",
        ),
        Mistake(
            "silent_refusal",
            _silent_refusal,
            "Your function ends without `return` where the service refuses, and so gives None. The "
            'numbers are right; return the text "refused" in all other cases.',
        ),
        Mistake(
            "number_as_text",
            _number_as_text,
            "You returned the number of labels as a text, in quotation marks or by `str`. A number "
            'was asked for: `3`, not `"3"`. Only "refused" is a text.',
        ),
        Mistake(
            "two_entries_taken_for_granted",
            _two_entries_taken_for_granted,
            "You took for granted that the shape has two entries, and Python stopped where it has "
            "fewer or more. Such an array is no table, and is refused: look at `len(shape)` first.",
            raises=r"values to unpack \(expected 2\b",
        ),
        Mistake(
            "second_entry_taken_for_granted",
            _second_entry_taken_for_granted,
            "You read an entry of the shape that it need not have: a flat list has one entry, a "
            "single number has none, and Python stops there. Both are refused: look at "
            "`len(shape)` before you look at the entries.",
            raises="tuple index out of range",
        ),
        Mistake(
            "last_entry_taken",
            _last_entry_taken,
            "You looked at the first entry and the last one, and not at how many there are. In "
            "(64,) they are the same entry, and in a stack others lie between them: neither is a "
            "table.",
        ),
        Mistake("zero_for_refused", functools.partial(_number_for_refused, 0), NUMBER_FOR_REFUSED),
        Mistake(
            "minus_one_for_refused", functools.partial(_number_for_refused, -1), NUMBER_FOR_REFUSED
        ),
        Mistake(
            "another_word",
            _another_word,
            "You return a text of your own where the service refuses. The text that is asked for "
            'is "refused", letter for letter.',
        ),
        Mistake(
            "name_without_quotes",
            _name_without_quotes,
            "Without quotation marks `refused` is the name of a variable, and there is none of "
            'that name. The text is `"refused"`.',
            raises="^NameError: name 'refused'",
        ),
        Mistake(
            "raised_instead",
            _raised_instead,
            "You raise an error where the service refuses. Your function only predicts that: it "
            'should return the text "refused".',
            raises="(?i)^(?!NameError).*: .*refused",
        ),
        Mistake(
            "labels_instead_of_count",
            _labels_instead_of_count,
            "You returned a list with one entry for each label. Asked for is how many they are, a "
            "number.",
        ),
        Mistake(
            "single_row_refused",
            _single_row_refused,
            "You refused a table of one row. It is small, but it is a table: at least one row is "
            "what the contract asks for.",
        ),
        Mistake(
            "single_row_only",
            _single_row_only,
            "You let only single rows pass. One request may hold many rows, and each gets its "
            "label.",
        ),
    ),
    hints=(
        "A table is a shape of two entries: `len(shape) == 2`. What is (64,), what is (3, 8, 8)?",
        'First return `"refused"` for what is no table. After that, `rows, columns = shape` cannot '
        "fail.",
        "`if columns == 64 and 1 <= rows <= 1024: return rows`; what is left over is refused.",
    ),
    draws=500,
)


# A report of the doctor

_THINGS: dict[str, tuple[str, tuple[doctor.Status, ...]]] = {
    "Python": ("install Python 3.12", ("ok", "problem")),
    "numpy": ("pip install numpy", ("ok", "problem")),
    "tensorflow": ("pip install tensorflow", ("ok", "problem")),
    "Disk": ("free some space", ("ok", "note", "problem")),
    "Memory": ("close other programs", ("ok", "note", "problem")),
    "Port 3000": ("amaas serve digits --port 0", ("ok", "note")),
    "Java": ("sudo apt-get install default-jre-headless", ("ok", "note")),
}
"""What a doctor looks at: the fix, and the statuses that it gives."""

_SEEN = ("version 3.{}", "{} GB", "{} found", "build {}")
"""What was seen of a thing: it says nothing about the status."""


def _draw_report(rng: np.random.Generator) -> dict[str, Any]:
    """A report: three things or more, in any order, each with one of its statuses."""
    findings = []
    for name in rng.permutation(list(_THINGS))[: rng.integers(3, 8)].tolist():
        fix, statuses = _THINGS[name]
        status = statuses[rng.integers(len(statuses))]
        seen = str(rng.choice(_SEEN)).format(rng.integers(1, 100))
        findings.append(doctor.Finding(name, status, seen, "" if status == "ok" else fix))
    return {"findings": findings}


def _fixes_of_what_stops_lessons(findings: list[doctor.Finding]) -> list[str]:
    """By the doctor's own word on each finding alone."""
    return [finding.fix for finding in findings if not doctor.ready([finding])]


def _judge_fixes(result: Any, findings: list[doctor.Finding]) -> Complaint | None:
    """Compare a list of fixes; say what a text or a fix of another report gives away."""
    expected = _fixes_of_what_stops_lessons(findings)
    text = compare.difference(expected, result)
    if text is None:
        return None
    if isinstance(result, str):
        return Complaint(text, "one_text" if _is_joined(result, expected) else None)
    if isinstance(result, list) and _goes_on_from(result, findings):
        return Complaint(text, "list_that_grows")
    return Complaint(text)


def _is_joined(text: str, fixes: list[str]) -> bool:
    """Whether a text joins these fixes and no other; one alone may come from elsewhere."""
    if len(fixes) < 2:
        return text == "" and not fixes
    return all((fix in text) == (fix in fixes) for fix, _ in _THINGS.values())


def _goes_on_from(result: list[Any], findings: list[doctor.Finding]) -> bool:
    """Whether a list of fixes ends right, but begins with some that this report cannot give."""
    expected = _fixes_of_what_stops_lessons(findings)
    before = result[: len(result) - len(expected)]
    foreign = {fix for fix, _ in _THINGS.values()} - {finding.fix for finding in findings}
    return result[len(before) :] == expected and any(fix in foreign for fix in before)


def to_mend(findings):  # type: ignore[no-untyped-def]
    fixes = []
    for finding in findings:
        if finding.status == "problem":
            fixes.append(finding.fix)
    return fixes


def _notes_too(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in findings if finding.status != "ok"]


def _notes_only(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in findings if finding.status == "note"]


def _everything(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in findings]


def _problems(findings: list[doctor.Finding]) -> list[doctor.Finding]:
    return [finding for finding in findings if finding.status == "problem"]


def _names(findings: list[doctor.Finding]) -> list[str]:
    return [finding.name for finding in _problems(findings)]


def _what_was_seen(findings: list[doctor.Finding]) -> list[str]:
    return [finding.seen for finding in _problems(findings)]


def _first_alone(findings: list[doctor.Finding]) -> str | None:
    return next((finding.fix for finding in _problems(findings)), None)


def _list_of_the_first(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in _problems(findings)][:1]


def _return_in_the_loop(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in _problems(findings[:1])]


def _last_alone(findings: list[doctor.Finding]) -> str | None:
    return next((finding.fix for finding in reversed(_problems(findings))), None)


def _how_many(findings: list[doctor.Finding]) -> int:
    return len(_problems(findings))


def _backwards(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in reversed(_problems(findings))]


def _one_text(findings: list[doctor.Finding]) -> str:
    return "\n".join(finding.fix for finding in _problems(findings))


def _list_begun_anew(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in _problems(findings[-1:])]


def _list_of_the_last(findings: list[doctor.Finding]) -> list[str]:
    return [finding.fix for finding in _problems(findings)][-1:]


def _letters(findings: list[doctor.Finding]) -> list[str]:
    return list("".join(finding.fix for finding in _problems(findings)))


def _list_that_grows(
    findings: list[doctor.Finding],
    fixes: list[str] = [],  # noqa: B006
) -> list[str]:
    fixes += _fixes_of_what_stops_lessons(findings)
    return fixes


read_report = Exercise(
    name="read_report",
    lesson="start_here",
    title="Read a report",
    statement="""
A friend's lessons do not run, and she sends you the findings of her doctor. What must she do?

Write `to_mend(findings)`. `findings` is a list, as `doctor.examine()` returns it. Each finding has
four texts: `finding.name`, what was looked at; `finding.status`, which is `"ok"`, `"note"` or
`"problem"`; `finding.seen`, what was found; `finding.fix`, what mends it (empty when all is well).
Return a list of the fixes, and only of those findings that keep lessons from running, in the order
of the report. When nothing does, the list is empty.
""",
    draw=_draw_report,
    solution=to_mend,
    judge=_judge_fixes,
    demands='a list with the `fix` of each finding whose status is "problem", in the order in '
    "which they were given",
    mistakes=(
        Mistake(
            "notes_too",
            _notes_too,
            "You took the notes along. A note is about something that only a later lesson or an "
            "optional part uses; only a problem keeps lessons from running.",
        ),
        Mistake(
            "notes_only",
            _notes_only,
            "You took the notes and left the problems. It is the other way round: a problem keeps "
            "lessons from running, a note does not.",
        ),
        Mistake(
            "everything",
            _everything,
            "You returned the fix of every finding, also of those that are ok, where it is empty. "
            "Look at `finding.status` first.",
        ),
        Mistake(
            "names_instead_of_fixes",
            _names,
            "You returned what is wrong, the names. Your friend asked what to do about it: that is "
            "`finding.fix`.",
        ),
        Mistake(
            "seen_instead_of_fixes",
            _what_was_seen,
            "You returned what was found. Your friend asked what to do about it: that is "
            "`finding.fix`.",
        ),
        Mistake(
            "findings_instead_of_fixes",
            _problems,
            "You returned the findings themselves. They are the right ones; of each take "
            "`finding.fix`.",
        ),
        Mistake(
            "first_alone",
            _first_alone,
            "You returned the first fix alone, as a text. Return a list of all of them: collect "
            "them in the loop, and return the whole list after it. (A `return` inside a loop "
            "would end the function at the first problem.)",
        ),
        Mistake(
            "list_of_the_first",
            _list_of_the_first,
            "You returned only the first problem's fix. There may be several problems, and each "
            "keeps lessons from running: go on to the end of the report.",
        ),
        Mistake(
            "return_in_the_loop",
            _return_in_the_loop,
            "You looked at the first finding only. Perhaps `return` stands in the loop: move it "
            "to the left, so that it comes after the last finding.",
        ),
        Mistake(
            "last_alone",
            _last_alone,
            "You returned the last fix alone. Perhaps each problem overwrote the one before it: "
            "collect them in a list with `append`.",
        ),
        Mistake(
            "count_instead_of_fixes",
            _how_many,
            "You returned how many problems there are. Your friend needs to know what to do: "
            "return their fixes.",
        ),
        Mistake(
            "backwards",
            _backwards,
            "You returned the right fixes in the wrong order. Keep that of the report: add each "
            "new one at the end, with `append`.",
        ),
        Mistake(
            "one_text",
            _one_text,
            "You joined the fixes into one text. Return them as a list, one entry for each "
            "problem.",
        ),
        Mistake(
            "list_begun_anew",
            _list_begun_anew,
            "Only the last finding counts in your list. Perhaps the list is made anew in each "
            "round of the loop, which forgets what was in it: begin it once, before the loop.",
        ),
        Mistake(
            "list_of_the_last",
            _list_of_the_last,
            "Your list holds only the last problem's fix. Perhaps each problem puts a new list in "
            "the place of the old one: begin the list once, before the loop, and add to it.",
        ),
        Mistake(
            "letters",
            _letters,
            "Your list holds single letters: `+=` between a list and a text adds each letter of "
            "it. To add the text as a whole, use `append`.",
        ),
        Mistake(
            "list_that_grows",
            _list_that_grows,
            "Your list still holds fixes of an earlier report. It was begun only once, outside the "
            "function or as the default of an argument, and grows from call to call: begin it "
            "inside the function.",
        ),
    ),
    hints=(
        "Which of the three statuses keeps lessons from running? The lesson says it above.",
        "Begin with an empty list, go through the findings with `for finding in findings:`.",
        'If `finding.status == "problem"`, then `fixes.append(finding.fix)`. Return the list after '
        "the loop.",
    ),
    core=False,
    draws=40,
)
