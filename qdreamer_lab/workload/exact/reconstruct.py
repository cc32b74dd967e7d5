"""Reconstruction: the contraction of all fragment tensors over the cuts they share.

Every cut is two indices, one of the bra and one of the ket, and each appears in exactly two
fragments; the glue between them is the identity. Both together are one axis here. The order of
contraction is opt_einsum's. All terms are contracted at once: what several of them have in common,
such as the fragments on which they do nothing, is computed once. This module sees tensors and
index numbers only.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.engine.cpu.pool import spread
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import available_bytes, readable
from qdreamer_lab.workload.execution.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["GATHERED", "Reconstruction", "paired"]

_MOST_SLICES = 1 << 16
"""More would take longer than anybody waits."""

_PART = 1 << 22
"""Multiply-adds that are worth a thread's while."""

_ROWS = 128
"""Rows of one product that are: with fewer, bringing the other operand in order would count."""

GATHERED = 4
"""Above so many terms per distinct operand, terms with the same operand are one matrix product."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Contract operands `first` and `second` into operand `new`, over the cuts they share.

    The axes of the new operand are those that `first` keeps, then those that `second` keeps.
    """

    first: int
    second: int
    new: int
    axes_first: tuple[int, ...]
    axes_second: tuple[int, ...]

    @property
    def shared(self) -> tuple[int, ...]:
        """Cuts that are summed over."""
        return tuple(cut for cut in self.axes_first if cut in self.axes_second)

    @property
    def kept_first(self) -> tuple[int, ...]:
        """Cuts of the first operand that stay."""
        return tuple(cut for cut in self.axes_first if cut not in self.axes_second)

    @property
    def kept_second(self) -> tuple[int, ...]:
        """Cuts of the second operand that stay."""
        return tuple(cut for cut in self.axes_second if cut not in self.axes_first)


def paired(tensors: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """From (operators, *dims, *dims), bra first, to (operators, *squares), one axis per cut."""
    cuts = (tensors.ndim - 1) // 2
    order = [0, *(axis for k in range(cuts) for axis in (1 + k, 1 + cuts + k))]
    shape = [tensors.shape[1 + k] * tensors.shape[1 + cuts + k] for k in range(cuts)]
    return tensors.transpose(order).reshape(len(tensors), *shape)


class Reconstruction:
    """A contraction planned once, to be run for many terms and many tensors.

    Args:
        axes: Per fragment, (cut, size) of each axis of its tensors after the first.
        memory_limit_bytes: Most memory to use beyond the tensors; what is free if None.

    Raises:
        MemoryLimitError: If the intermediate tensors of one term do not fit and cannot be sliced.
    """

    def __init__(
        self, axes: Sequence[Sequence[tuple[int, int]]], memory_limit_bytes: int | None = None
    ) -> None:
        self._axes = [tuple(cut for cut, _ in cuts) for cuts in axes]
        self._sizes = {cut: size for cuts in axes for cut, size in cuts}
        limit = available_bytes() if memory_limit_bytes is None else memory_limit_bytes
        self._steps = _ordered(self._axes, self._sizes)
        self.sliced = _sliced(self._steps, self._sizes, limit)
        small = {**self._sizes, **dict.fromkeys(self.sliced, 1)}
        peak = max((_step_bytes(step, small) for step in self._steps), default=16)
        self._terms_at_once = max(1, limit // (2 * peak))

    def values(
        self,
        tensors: Sequence[NDArray[np.complex128]],
        operator_of: NDArray[np.int64],
        cores: int | None = None,
    ) -> NDArray[np.float64]:
        """Expectation values of many products of local operators.

        Args:
            tensors: Per fragment, (operators, *axes).
            operator_of: (terms, fragments) int64; which of its operators each term uses.
            cores: Threads for large products; those this process may use if None. The values do
                not depend on it.

        Returns:
            (terms,) float64; real parts.
        """
        cores = usable_cores() if cores is None else cores
        terms = len(operator_of)
        if not tensors:
            return np.ones(terms)
        if len(tensors) == 1 and tensors[0].ndim == 1:  # nothing is cut
            return np.asarray(tensors[0].real[operator_of[:, 0]], np.float64)
        distinct, back = np.unique(operator_of, axis=0, return_inverse=True)
        values = np.zeros(len(distinct))
        for first in range(0, len(distinct), self._terms_at_once):
            part = slice(first, first + self._terms_at_once)
            for chosen in self._slices():
                operands = [self._cut_down(k, tensor, chosen) for k, tensor in enumerate(tensors)]
                values[part] += _contract(operands, distinct[part], self._steps, cores)
        return values[back.ravel()]

    @property
    def products(self) -> list[tuple[int, int, int, int, int]]:
        """Per step: its two operands, the elements that each of them keeps, and those summed over.

        Operands are numbered as the fragments are, and then on, a number for each step.
        """
        small = {**self._sizes, **dict.fromkeys(self.sliced, 1)}

        def size(cuts: tuple[int, ...]) -> int:
            return math.prod(small[cut] for cut in cuts)

        return [
            (
                step.first,
                step.second,
                size(step.kept_first),
                size(step.kept_second),
                size(step.shared),
            )
            for step in self._steps
        ]

    @property
    def operations(self) -> float:
        """Floating-point operations for one term, of all slices."""
        each = sum(8.0 * left * right * shared for _, _, left, right, shared in self.products)
        return each * math.prod(float(self._sizes[cut]) for cut in self.sliced)

    def _slices(self) -> list[dict[int, int]]:
        ranges = [range(self._sizes[cut]) for cut in self.sliced]
        return [
            dict(zip(self.sliced, values, strict=True)) for values in itertools.product(*ranges)
        ]

    def _cut_down(
        self, number: int, tensor: NDArray[np.complex128], chosen: dict[int, int]
    ) -> NDArray[np.complex128]:
        """The tensor at the chosen values of sliced cuts, which stay as axes of length one."""
        cuts = self._axes[number]
        where = (slice(chosen[c], chosen[c] + 1) if c in chosen else slice(None) for c in cuts)
        return tensor[(slice(None), *where)]


def _ordered(axes: list[tuple[int, ...]], sizes: dict[int, int]) -> list[_Step]:
    """Pairwise steps in the order that opt_einsum finds; new operands are numbered on."""
    if len(axes) < 2:
        return []
    names = ["".join(opt_einsum.get_symbol(cut) for cut in cuts) for cuts in axes]
    shapes = [tuple(sizes[cut] for cut in cuts) for cuts in axes]
    path, _ = opt_einsum.contract_path(",".join(names) + "->", *shapes, shapes=True)
    there = list(enumerate(axes))
    count = len(axes)
    steps = []
    for places in path:
        chosen = [there.pop(place) for place in sorted(places, reverse=True)]
        number, cuts = chosen[0]
        for other, more in chosen[1:]:
            step = _Step(number, other, count, cuts, more)
            steps.append(step)
            number, cuts, count = count, step.kept_first + step.kept_second, count + 1
        there.append((number, cuts))
    return steps


def _step_bytes(step: _Step, sizes: dict[int, int]) -> int:
    """Memory of one step for one term: both operands, copied in order, and what comes out."""
    first, second, shared = (
        math.prod(sizes[cut] for cut in cuts)
        for cuts in (step.kept_first, step.kept_second, step.shared)
    )
    return 16 * (2 * first * shared + 2 * second * shared + 2 * first * second)


def _sliced(steps: list[_Step], sizes: dict[int, int], limit_bytes: int) -> tuple[int, ...]:
    """Cuts to sum over outside, so that no step needs more than the limit.

    Raises:
        MemoryLimitError: If that takes too many slices.
    """
    small = dict(sizes)
    sliced: list[int] = []
    while steps and (needed := max(_step_bytes(step, small) for step in steps)) > limit_bytes:
        widest = max(steps, key=lambda step: _step_bytes(step, small))
        inside = {*widest.kept_first, *widest.kept_second, *widest.shared}
        cut = max(inside, key=lambda cut: small[cut], default=-1)
        if cut < 0 or small[cut] == 1 or math.prod(sizes[c] for c in [*sliced, cut]) > _MOST_SLICES:
            raise MemoryLimitError(
                f"reconstruction needs {readable(needed)} even in "
                f"{math.prod(sizes[c] for c in sliced)} slices, but {readable(limit_bytes)} may be "
                "used: plan with fewer cuts (a larger max_qubits), or raise memory_limit_bytes"
            )
        sliced.append(cut)
        small[cut] = 1
    return tuple(sliced)


def _contract(
    operands: list[NDArray[np.complex128]],
    terms: NDArray[np.int64],
    steps: list[_Step],
    cores: int,
) -> NDArray[np.float64]:
    """Values of `terms` (t, fragments), all different.

    Every operand holds its distinct versions only; `which[k]` says which one each term uses.
    """
    held: dict[int, NDArray[np.complex128]] = {}
    which: dict[int, NDArray[np.int64]] = {}
    for number, operand in enumerate(operands):
        used, which[number] = np.unique(terms[:, number], return_inverse=True)
        held[number] = operand if len(used) == len(operand) else operand[used]
    for step in steps:
        pairs = np.stack([which.pop(step.first), which.pop(step.second)], axis=1)
        distinct, back = np.unique(pairs, axis=0, return_inverse=True)
        held[step.new] = _join(held.pop(step.first), held.pop(step.second), distinct, step, cores)
        which[step.new] = back.ravel()
    ((number, last),) = held.items()
    return np.asarray(last.reshape(-1)[which[number]].real)


def _join(
    first: NDArray[np.complex128],
    second: NDArray[np.complex128],
    pairs: NDArray[np.int64],
    step: _Step,
    cores: int,
) -> NDArray[np.complex128]:
    """One step for all distinct `pairs` (n, 2) of versions of its operands.

    Returns:
        (n, *kept axes of `first`, *kept axes of `second`).
    """
    shared = len(step.shared)
    left = _in_order(first, step.axes_first, step.kept_first + step.shared)
    right = _in_order(second, step.axes_second, step.shared + step.kept_second)
    kept = left.shape[1 : left.ndim - shared] + right.shape[1 + shared :]
    summed = math.prod(right.shape[1 : 1 + shared])
    left = left.reshape(len(first), -1, summed)
    right = right.reshape(len(second), summed, -1)
    out = np.empty((len(pairs), left.shape[1], right.shape[2]), dtype=np.complex128)
    each = left.shape[1] * right.shape[2] * summed
    if len(pairs) < GATHERED * min(len(first), len(second)):
        jobs = _one_by_one(left, right, pairs, out, each)
    else:
        jobs = _by_version(left, right, pairs, out, each)
    if len(jobs) > 1:
        with one_thread():
            spread(_run, [(job,) for job in jobs], cores)
    else:
        jobs[0]()
    return out.reshape(len(pairs), *kept)


def _run(job: Callable[[], None]) -> None:
    job()


def _one_by_one(
    left: NDArray[np.complex128],
    right: NDArray[np.complex128],
    pairs: NDArray[np.int64],
    out: NDArray[np.complex128],
    each: int,
) -> list[Callable[[], None]]:
    """A product for each pair of versions: calls for some pairs, or for some rows of one."""

    def multiply(mine: slice, rows: slice) -> None:
        which = pairs[mine]
        first = _chosen(left[:, rows], which[:, 0])
        np.matmul(first, _chosen(right, which[:, 1]), out=out[mine, rows])

    if each <= _PART:
        return [partial(multiply, mine, slice(None)) for mine in _slices_of(len(pairs), each)]
    height = left.shape[1]
    rows = _slices_of(height, each // height, _ROWS)
    return [
        partial(multiply, slice(k, k + 1), some_rows)
        for k in range(len(pairs))
        for some_rows in rows
    ]


def _by_version(
    left: NDArray[np.complex128],
    right: NDArray[np.complex128],
    pairs: NDArray[np.int64],
    out: NDArray[np.complex128],
    each: int,
) -> list[Callable[[], None]]:
    """One product for all pairs that share a version: calls for some of them each."""
    side = 0 if len(left) < len(right) else 1

    def multiply(version: int, rows: NDArray[np.int64]) -> None:
        if side == 0:
            product = np.tensordot(right[pairs[rows, 1]], left[version], axes=(1, 1))
            out[rows] = product.transpose(0, 2, 1)
        else:
            out[rows] = np.tensordot(left[pairs[rows, 0]], right[version], axes=(2, 0))

    return [
        partial(multiply, version, rows[some])
        for version, rows in _rows_of_versions(pairs[:, side])
        for some in _slices_of(len(rows), each)
    ]


def _slices_of(count: int, each: int, least: int = 1) -> list[slice]:
    """So many products of so many multiply-adds each, in parts that are worth a thread's while.

    The parts do not depend on the number of cores, and so neither does the outcome.
    """
    step = max(least, _PART // max(each, 1))
    return [slice(first, min(first + step, count)) for first in range(0, count, step)]


def _chosen(versions: NDArray[np.complex128], which: NDArray[np.int64]) -> NDArray[np.complex128]:
    """The versions wanted, in order; not copied if they are just that."""
    first = which[0]
    if np.array_equal(which, np.arange(first, first + len(which))):
        return versions[first : first + len(which)]
    return versions[which]


def _in_order(
    tensor: NDArray[np.complex128], axes: tuple[int, ...], wanted: tuple[int, ...]
) -> NDArray[np.complex128]:
    return tensor.transpose([0, *(1 + axes.index(cut) for cut in wanted)])


def _rows_of_versions(versions: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """Each distinct version with the rows that have it."""
    order = np.argsort(versions, kind="stable")
    found, first = np.unique(versions[order], return_index=True)
    return list(zip(found.tolist(), np.split(order, first[1:]), strict=True))
