"""What the classical bits of a measured circuit read: probabilities, heavy outcomes, samples.

Users hold it; where the numbers come from is for `Outcomes` to know.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qdreamer_lab.errors import MemoryLimitError, QDreamerError
from qdreamer_lab.workload.execution.limits import limit_bytes
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.outcomes.nearest import nearest_distribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Distribution", "Heaviest", "Outcomes"]

_SAME = 1e-9
"""Probabilities that differ by this share are not told apart."""


class Outcomes(Protocol):
    """Where a distribution's numbers come from, by qubits that are all different.

    Attributes:
        exact: Whether they are exact to rounding.
    """

    exact: bool

    def quasi(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) quasi-probabilities; the first qubit is the least significant bit."""

    def stds(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) standard errors of them."""

    def heaviest(
        self, qubits: Sequence[int], count: int, limit_bytes: int
    ) -> tuple[list[tuple[Mapping[int, int], float]], float]:
        """Outcomes, as the bit of each qubit, with probabilities; and what no other one exceeds."""

    def draw(
        self, qubits: Sequence[int], shots: int, rng: np.random.Generator, limit_bytes: int
    ) -> NDArray[np.bool_]:
        """(shots, len(qubits)) bits."""


@dataclass(frozen=True, slots=True, repr=False)
class Heaviest:
    """The heaviest outcomes of a distribution; shown with what may be missing from them.

    Attributes:
        probabilities: Of each outcome, by its bits as Qiskit writes them, the heaviest first.
        others_at_most: No other outcome is more probable than this. In sampled mode that is said of
            the estimates.
    """

    probabilities: dict[str, float]
    others_at_most: float

    @property
    def proven(self) -> bool:
        """Whether no outcome that is not listed is heavier than one that is."""
        least = min(self.probabilities.values(), default=0.0)
        return self.others_at_most <= least * (1 + _SAME)

    def __repr__(self) -> str:
        return f"<Heaviest: {len(self.probabilities)} outcomes; {self._beyond}>"

    def __str__(self) -> str:
        rows = [f"{outcome}  {share:.6g}" for outcome, share in self.probabilities.items()]
        return "\n".join([*rows, self._beyond])

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]

    @property
    def _beyond(self) -> str:
        """What is known of all other outcomes."""
        if self.others_at_most == 0:
            return "no other outcome is possible"
        told = f"no other outcome has more than {self.others_at_most:.3g}"
        if self.proven:
            return told
        return f"{told}; the search was stopped before it was certain that these are the heaviest"


@dataclass(frozen=True, eq=False, slots=True)
class Distribution:
    """What the classical bits of a circuit read at its end, for one set of parameter values.

    Every method takes `of`: numbers of classical bits that were measured into, in the order in
    which they are to count, the least significant first, or the name of a register; all of them, in
    the circuit's order, if it is None. It may name few of many.

    Attributes:
        bits: Numbers of the circuit's classical bits that were measured into, ascending.
    """

    bits: tuple[int, ...]
    _qubit_of: Mapping[int, int] = field(repr=False)
    _registers: Mapping[str, tuple[int, ...]] = field(repr=False)
    _outcomes: Outcomes = field(repr=False)
    _memory_limit_bytes: int | None = field(default=None, repr=False)

    @property
    def exact(self) -> bool:
        """Whether probabilities are exact to rounding; else they are estimated from shots."""
        return self._outcomes.exact

    def probabilities(self, of: Sequence[int] | str | None = None) -> NDArray[np.float64]:
        """(2**bits,) probabilities, exact ones or the distribution nearest to `quasi`.

        Raises:
            MemoryLimitError: If there are more outcomes than memory.
            QDreamerError: If `of` names a bit twice, or one that was not measured into.
        """
        found = self.quasi(of)
        return found if self.exact else nearest_distribution(found)

    def quasi(self, of: Sequence[int] | str | None = None) -> NDArray[np.float64]:
        """(2**bits,) probabilities, or unbiased estimates of them, some of which are negative.

        Raises:
            MemoryLimitError: If there are more outcomes than memory.
            QDreamerError: As for `probabilities`.
        """
        bits, qubits = self._chosen(of)
        return self._spread(self._outcomes.quasi(qubits, self._limit), bits, qubits)

    def stds(self, of: Sequence[int] | str | None = None) -> NDArray[np.float64]:
        """(2**bits,) standard errors of `quasi`; zero where it is exact.

        Estimates allow for one shot more than was seen, so that an outcome that no shot has read is
        not taken for impossible (Agresti and Coull, The American Statistician 52, 119).

        Raises:
            MemoryLimitError: If there are more outcomes than memory.
            QDreamerError: As for `probabilities`.
        """
        bits, qubits = self._chosen(of)
        check_size(len(qubits), self._limit)
        return self._spread(self._outcomes.stds(qubits, self._limit), bits, qubits)

    def top(self, count: int, of: Sequence[int] | str | None = None) -> Heaviest:
        """The heaviest outcomes, of as many bits as there are; impossible ones are left out.

        Raises:
            QDreamerError: As for `probabilities`, or if `count` is not a positive integer.
        """
        _check_whole("count", count)
        bits, qubits = self._chosen(of)
        listed, others = self._outcomes.heaviest(qubits, int(count), self._limit)
        named = {
            "".join(str(outcome[self._qubit_of[bit]]) for bit in reversed(bits)): probability
            for outcome, probability in listed
        }
        return Heaviest(named, others)

    def draw(
        self, shots: int, seed: int | Sequence[int], of: Sequence[int] | str | None = None
    ) -> NDArray[np.bool_]:
        """(shots, bits) of independent shots; in sampled mode in the estimated proportions.

        Args:
            shots: How many.
            seed: Of the random numbers.
            of: Which bits.

        Raises:
            MemoryLimitError: In sampled mode, if there are more outcomes than memory.
            QDreamerError: As for `probabilities`, or if `shots` is not a positive integer, or
                `seed` no seed.
        """
        _check_whole("shots", shots)
        bits, qubits = self._chosen(of)
        try:
            rng = np.random.default_rng(seed)
        except (TypeError, ValueError) as error:
            raise QDreamerError(f"seed={seed!r:.60}: whole numbers of at least 0") from error
        drawn = self._outcomes.draw(qubits, int(shots), rng, self._limit)
        columns = [qubits.index(self._qubit_of[bit]) for bit in bits]
        return drawn[:, columns]

    @property
    def _limit(self) -> int:
        return limit_bytes(self._memory_limit_bytes)

    def _chosen(self, of: Sequence[int] | str | None) -> tuple[tuple[int, ...], list[int]]:
        """The bits asked for, and the different qubits that they were read off."""
        if of is None:
            bits = self.bits
        elif isinstance(of, str):
            if of not in self._registers:
                names = ", ".join(map(repr, self._registers)) or "none"
                raise QDreamerError(f"there is no register {of!r}; the circuit has {names}")
            bits = self._registers[of]
        else:
            bits = _whole_numbers(of)
        twice = sorted({bit for bit in bits if bits.count(bit) > 1})
        if twice:
            raise QDreamerError(f"bit {twice[0]} is listed twice; name each bit once")
        unknown = [bit for bit in bits if bit not in self._qubit_of]
        if unknown:
            raise QDreamerError(
                f"nothing was measured into bit {unknown[0]}; the bits that were measured into are "
                f"{', '.join(map(str, self.bits))}"
            )
        return bits, list(dict.fromkeys(self._qubit_of[bit] for bit in bits))

    def _spread(
        self, table: NDArray[np.float64], bits: tuple[int, ...], qubits: list[int]
    ) -> NDArray[np.float64]:
        """A table over bits, from one over qubits; bits of one qubit never differ."""
        if len(bits) == len(qubits):
            return table
        check_size(len(bits), self._limit)
        index = np.arange(len(table))
        place = np.zeros_like(index)
        for k, bit in enumerate(bits):
            place |= (index >> qubits.index(self._qubit_of[bit]) & 1) << k
        found = np.zeros(1 << len(bits))
        found[place] = table
        return found


def check_size(num_bits: int, limit_bytes: int) -> None:
    """Refuse a table over all outcomes of so many bits that does not fit.

    Raises:
        MemoryLimitError: With the sizes, and what to do instead.
    """
    needed = 8 << num_bits
    if needed > limit_bytes:
        raise MemoryLimitError(
            f"a number for each outcome of {num_bits} bits needs {readable(needed)}, but "
            f"{readable(limit_bytes)} may be used: ask for fewer bits, or for the heaviest "
            "outcomes with top(16)"
        )


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise QDreamerError(f"{name}={value!r}: a whole number of at least 1")


def _whole_numbers(of: object) -> tuple[int, ...]:
    try:
        return tuple(map(operator.index, of))  # type: ignore[call-overload]
    except TypeError as error:
        raise QDreamerError(
            f"of={of!r}: a list of numbers of bits, or the name of a register"
        ) from error
