"""The few lines of Python that do what is selected. They must run as they are."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from qdreamer_lab.workload.cut.options import SearchOptions

if TYPE_CHECKING:
    from qdreamer_lab.widgets.problem import Problem
    from qdreamer_lab.widgets.state import Candidate, Controls

__all__ = ["python_source"]

_LINE = 88


def python_source(
    problem: Problem, candidate: Candidate, controls: Controls, *, workers: int | None
) -> str:
    """Python that plans and runs like a candidate.

    Args:
        problem: What is explored; the code calls it `circuit` and `observables`.
        candidate: The candidate.
        controls: With parameter values and precision.
        workers: Of the session that runs happen on, which the code calls `session`; None without.
    """
    session = workers is not None and not candidate.configuration.in_process
    names = ["circuit"] + ["observables"] * (not problem.default) + ["session"] * session
    given = ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
    lines = ["from qdreamer_lab import CutEstimator" + ", plan_cuts" * candidate.handed]
    if candidate.handed and not _found_again(candidate):
        lines = ["from dataclasses import replace", "import numpy as np", *lines]
        if candidate.plan is not None and candidate.plan.swaps is not None:
            lines.append("from qdreamer_lab.workload.cut.cuts import Swaps")
    if problem.default:
        lines.append("from qiskit.quantum_info import SparsePauliOp")
    lines += ["", f"# {given}: as given to CutExplorer"]
    if problem.names:
        lines.append(f"circuit = circuit.assign_parameters({list(controls.values)})")
    if problem.default:
        lines += [
            "n = circuit.num_qubits",
            "observables = SparsePauliOp.from_sparse_list("
            '[("Z", [k], 1 / n) for k in range(n)], n)',
        ]
    lines += [*_planned(candidate), *_run(candidate, controls, workers if session else None)]
    return "\n".join(lines) + "\n"


def _planned(candidate: Candidate) -> list[str]:
    """The call that finds the plan, without arguments that have their default.

    A plan that a search need not find again stands there itself.
    """
    if not candidate.handed:
        return []
    if not _found_again(candidate):
        return _spelled(candidate)
    options, usual = candidate.options, SearchOptions()
    arguments = ["circuit", str(candidate.configuration.max_qubits), "observables=observables"]
    arguments += [
        f"{name}={getattr(options, name)!r}"
        for name in ("kinds", "cost", "time_limit_s", "rounds")
        if getattr(options, name) != getattr(usual, name)
    ]
    line = f"plan = plan_cuts({', '.join(arguments)})"
    if len(line) <= _LINE:
        return [line]
    return ["plan = plan_cuts(", *(f"    {argument}," for argument in arguments), ")"]


def _found_again(candidate: Candidate) -> bool:
    """Whether a search with a few arguments makes the plan; not one for devices or with swaps."""
    plan = candidate.plan
    plain = plan is None or (plan.devices is None and plan.swaps is None)
    return candidate.repeatable and plain


def _spelled(candidate: Candidate) -> list[str]:
    """The plan by its labels: which fragment each end of each block lies in."""
    plan = candidate.plan
    assert plan is not None, "what is handed over is a plan"
    labels = ", ".join(map(str, plan.labels.ravel().tolist()))
    lone = plan.lone_labels.tolist()
    # Q-Dreamer's own plans for exact mode are for what that leaves of the circuit.
    exact = ", exact=True" * (candidate.configuration.exact and not candidate.given)
    return [
        "plan = plan_cuts(",
        f"    circuit, {plan.max_qubits}, observables=observables, time_limit_s=0{exact}",
        ")",
        "plan = replace(",
        "    plan,",
        "    labels=np.array([",
        *(f"        {part}" for part in textwrap.wrap(labels, _LINE - 8)),
        "    ], dtype=int).reshape(-1, 2),",
        f"    lone_labels=np.array({lone}, dtype=int),",
        f"    cost={plan.cost!r},",
        f"    log2_lower_bound={plan.log2_lower_bound!r},",
        f"    proven_optimal={plan.proven_optimal!r},",
        *([] if plan.devices is None else [f"    devices={plan.devices!r},"]),
        *([] if plan.swaps is None else [f"    swaps={plan.swaps!r},"]),
        ")",
    ]


def _run(candidate: Candidate, controls: Controls, workers: int | None) -> list[str]:
    way, session = candidate.configuration, workers is not None
    simple = way.cuts
    arguments = [str(way.max_qubits), f"mode={way.mode!r}"]
    arguments += [f"method={way.method!r}"] * (not simple)
    arguments += ["plan=plan"] * candidate.handed + ["session=session"] * session
    arguments += [f"on={way.on!r}"] * (session and way.on is not None)
    if workers is not None and way.workers < workers and simple:
        arguments.append(f"most_workers={way.workers}")
    precision = f", precision={controls.precision:.6g}" * (not way.exact)
    return [
        f"estimator = CutEstimator({', '.join(arguments)})",
        f"result = estimator.run([(circuit, observables)]{precision}).result()[0]",
        "print(result.data.evs, result.data.stds)",
    ]
