"""Compiling ahead: it takes none of a search's time, and leaves nothing to compile."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from qdreamer_lab.search import finder
from qdreamer_lab.search.finder import search, search_pareto
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.nonadditive import Priced
from tests.search.small_problems import ladder


@pytest.mark.parametrize("several", [False, True])
def test_a_time_limit_does_not_run_while_kernels_are_compiled(
    monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    now, limits = [0.0], []

    def compiled(cost: str) -> list[object]:
        now[0] += 5000.0
        return []

    def additive(*arguments: object) -> Priced:
        limits.append(arguments[2].deadline)
        return Priced(np.zeros((len(ladder(3, 4).pairs), 2), np.int64), 0.0, 0.0)

    monkeypatch.setattr(finder, "_ready", set())
    monkeypatch.setattr(finder, "samples", compiled)
    monkeypatch.setattr(finder, "_additive", additive)
    monkeypatch.setattr(finder, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    for _ in range(2):  # the second finds everything compiled
        forget()
        if several:
            search_pareto(ladder(3, 4), [3], time_limit_s=2.0)
        else:
            search(ladder(3, 4), time_limit_s=2.0)
    assert limits == [5002.0, 5002.0]


_ALL_KERNELS = """
import importlib, pkgutil
import numpy as np
from numba.core.dispatcher import Dispatcher
import qdreamer_lab.kernels as kernels
from qdreamer_lab.search.finder import make_ready, search, search_pareto
from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.problem import CutProblem, InfeasibleError

modules = [importlib.import_module(one.name)
           for one in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}.")]

def compiled():
    return {one.py_func.__qualname__: len(one.overloads)
            for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)}

rng = np.random.default_rng(0)
for cost in MODELS:
    make_ready(cost, limited=True)
    before = compiled()
    for n, m, width in ((6, 10, 3), (24, 150, 10)):
        pairs = np.array([rng.permutation(n)[:2] for _ in range(m)], np.int64)
        for fragments, devices in ((None, None), (3, None), (None, (width, n - width, 2, 1))):
            if devices is not None:
                devices = tuple(sorted(devices, reverse=True))
            problem = CutProblem(n, pairs, rng.uniform(0.1, 4, m),
                                 width if devices is None else devices[0], sine=np.ones(m),
                                 max_fragments=fragments, devices=devices)
            try:
                search(problem, cost=cost, time_limit_s=0.05)
                search(problem, cost=cost, time_limit_s=0.05, prove=True)
                if devices is None:
                    search_pareto(problem, [width, width + 1], cost=cost, time_limit_s=0.05)
            except InfeasibleError:
                pass
    assert compiled() == before, (cost, before, compiled())
"""


def test_no_search_compiles_what_was_not_made_ready() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALL_KERNELS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
