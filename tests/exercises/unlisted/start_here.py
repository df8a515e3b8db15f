"""Wrong answers that no named mistake of lesson 00 describes."""


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


def _sorted(findings):
    return sorted(finding.fix.upper() for finding in findings if finding.status == "problem")


def _none_found(findings):
    return []


def _by_an_unknown_word(findings):
    return [finding.fix for finding in findings if finding.status == "error"] or None


WRONG = {
    "trivial_baseline": [_half, _distinct, _rarest],
    "predict_reply": [_sum, _dimensions, _refuses_all, _at_most_a_thousand],
    "read_report": [_sorted, _none_found, _by_an_unknown_word],
}
