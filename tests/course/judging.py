"""How checkers are tested: answers that are right, and wrong ones each with a reason of its own."""

import re

from qdreamer_lab.course.verdict import Standing

NUMBERS = re.compile(r"[-+]?\d[\d,.]*(e[-+]?\d+)?")
RIGHT, WRONG = 3, 5
"""How many answers of each kind every checker is given, at least."""


def judge(check, right, wrong, placeholders=(None, ...)):
    """Hand all answers to a checker.

    Args:
        check: The checker.
        right: Different answers that it must accept.
        wrong: Pairs of an answer that it must refuse and words that its reason must have.
        placeholders: What there is before anybody has answered.
    """
    assert len(right) >= RIGHT
    assert len(wrong) >= WRONG
    for empty in placeholders:
        assert check(empty).standing is Standing.NOT_YET
    for answer in right:
        verdict = check(answer)
        assert verdict.right, verdict
        assert verdict.words.endswith(".")
    reasons = set()
    for answer, words in wrong:
        verdict = check(answer)
        assert verdict.standing is Standing.NOT_RIGHT, (answer, verdict)
        assert words in verdict.words, verdict
        assert verdict.words[-1] in ".?", verdict
        reasons.add(NUMBERS.sub("#", verdict.words))
    assert len(reasons) == len(wrong), "two wrong answers are given the same reason"
