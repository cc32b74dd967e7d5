"""An outcome at a cut matters if something is read behind it, or if the cut is not settled."""

import pytest

from qdreamer_lab import plan_cuts
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.telling import telling_legs
from tests.circuits.plain import ghz


def told(labels, silent):
    """Per fragment, whether each outcome that settles a cut matters; a GHZ state in three parts."""
    circuit = ghz(6)
    plan = plan_cuts(circuit, 2, kinds=("gate",))
    run = lower(plan, [product_terms(each) for each in as_sparse(labels, 6)], joint=False)
    assert [fragment.program.width for fragment in run.fragments] == [2, 2, 2]
    found = telling_legs(run.fragments, silent)
    return [
        [place in telling for place, leg in enumerate(fragment.legs) if settles(leg)]
        for fragment, telling in zip(run.fragments, found, strict=True)
    ]


def settles(leg):
    return len(leg.side.operations) == 1


@pytest.mark.parametrize(
    ("silent", "wanted"),
    [
        ([False, True, True], [[False], [False], []]),
        ([True, False, True], [[True], [False], []]),
        ([True, True, False], [[True], [True], []]),
        ([False, True, False], [[True], [True], []]),
        ([True, True, True], [[False], [False], []]),
        ([False, False, False], [[True], [True], []]),
    ],
)
def test_outcomes_matter_if_something_is_read_behind_them(silent, wanted):
    assert told(["ZZZZZZ"], silent) == wanted


def test_at_cuts_that_are_not_settled_all_outcomes_matter():
    circuit = ghz(4)
    run = lower(
        plan_cuts(circuit, 2, kinds=("gate",)),
        [product_terms(each) for each in as_sparse(["XXXX"], 4)],
        joint=False,
    )
    assert not any(settles(leg) for fragment in run.fragments for leg in fragment.legs)
    assert telling_legs(run.fragments, [True, True]) == [frozenset({0}), frozenset({0})]
