"""Wrong answers that no named mistake of lesson 00 describes."""

import functools


def _half(labels):
    return 0.5


def _distinct(labels):
    return len(set(labels)) / len(labels)


def _rarest(labels):
    return min(labels.count(label) for label in labels) / len(labels)


def _sum(shape):
    return sum(shape)


def _dimensions(shape):
    return len(shape)


def _refuses_all(shape):
    return None


def _at_most_a_thousand(shape):
    return shape[0] if len(shape) == 2 and shape[1] == 64 and 1 <= shape[0] <= 1000 else -1


def _at_most(limit, shape):
    return shape[0] if len(shape) == 2 and shape[1] == 64 and 1 <= shape[0] <= limit else "refused"


def _most_without_least(shape):
    return shape[0] if len(shape) == 2 and shape[1] == 64 and shape[0] <= 2048 else "refused"


def _width_or_rows(shape):
    return shape[0] if (len(shape) == 2 and shape[1] == 64) or 1 <= shape[0] <= 1024 else "refused"


def _at_most_256_wide(shape):
    return shape[0] if len(shape) == 2 and shape[1] <= 256 and 1 <= shape[0] <= 1024 else "refused"


def _by_what_was_seen(findings):
    return [finding.fix for finding in findings if finding.seen == "bad"]


def _sorted(findings):
    return sorted(finding.fix.upper() for finding in findings if finding.status == "problem")


def _none_found(findings):
    return []


def _by_an_unknown_word(findings):
    return [finding.fix for finding in findings if finding.status == "error"] or None


WRONG = {
    "trivial_baseline": [_half, _distinct, _rarest],
    "predict_reply": [
        *(_sum, _dimensions, _refuses_all, _at_most_a_thousand, _most_without_least),
        *(functools.partial(_at_most, limit) for limit in (10, 1000, 1204, 2048)),
        *(_width_or_rows, _at_most_256_wide),
    ],
    "read_report": [_sorted, _none_found, _by_an_unknown_word, _by_what_was_seen],
}
