"""What a machine can do: the coefficients of the cost model, with their units and sources.

A description that is measured, nominal, or refined by runs; it must not time anything itself.
"""

from __future__ import annotations

import functools
import json
import math
import platform
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from pilot_kernel.resource import allowance
from qdreamer_lab.dreamer.machine.measure import measured
from qdreamer_lab.dreamer.model.belief import Belief
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PHASES, PLACE
from qdreamer_lab.dreamer.report_text import html_table, seconds_text, text_table
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["MachineProfile", "library_versions", "machine_name"]

_ALONE, _TOGETHER = 0.5, 0.5
"""Deviations of the logarithms of coefficients that were never measured: their own, and that of the
speed of the machine; a factor of two either way together."""

_UNTIED = {
    "planning": 0.3,
    "run": 0.5,
    "trip": 0.5,
    "task": 0.5,
    "transfer": 0.7,
    "device": 0.3,
    "job": 0.7,
}
"""Coefficients that do not follow the speed of the machine, with their own deviations."""

_FORMAT = 2


@dataclass(frozen=True, eq=False, slots=True)
class MachineProfile:
    """What a machine can do.

    Attributes:
        machine: Host name of the workers.
        resource: URL of the pilot's resource, or "here" for this process.
        cores: That one task may use.
        memory_bytes: That one task may use.
        gpus: Name and memory of each GPU.
        versions: Of the libraries on which speed depends.
        made_at_s: When it was measured, in seconds since 1970.
        source: "nominal" or "measured".
        belief: The coefficients, in nanoseconds per count, and how well they are known.
        sources: Of each coefficient: "nominal", "measured" or "observed".
        contention: How much longer a task takes when all workers are busy.
        warm_up_s: What the first run takes longer there, for loading code.
    """

    machine: str
    resource: str
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...]
    versions: tuple[str, ...]
    made_at_s: float
    source: str
    belief: Belief = field(repr=False)
    sources: tuple[str, ...] = field(repr=False)
    contention: float = 1.15
    warm_up_s: float = 0.6

    def __post_init__(self) -> None:
        count = len(COEFFICIENTS)
        values = self.belief.values
        if values.shape != (count,) or self.belief.covariance.shape != (count, count):
            raise QDreamerError(f"a profile has {count} coefficients, got {len(values)}")
        if not np.isfinite(values).all() or (values <= 0).any():
            bad = COEFFICIENTS[int(np.argmin(np.where(np.isfinite(values), values, -1.0)))].name
            raise QDreamerError(f"coefficient {bad!r} of a profile must be above zero and finite")
        if self.cores < 1 or self.memory_bytes < 1:
            raise QDreamerError("a profile needs at least one core and some memory")
        if not (math.isfinite(self.contention) and self.contention >= 1):
            raise QDreamerError(f"contention={self.contention}: at least 1")

    @classmethod
    def nominal(cls) -> MachineProfile:
        """Typical values, for a machine of this one's size that was never measured."""
        values = np.array([coefficient.nominal_ns for coefficient in COEFFICIENTS])
        belief = Belief.starting(
            values, len(PHASES), alone=_ALONE, together=_TOGETHER, tied=_tied()
        )
        for name, deviation in _UNTIED.items():
            belief.covariance[PLACE[name], PLACE[name]] = deviation**2
        return cls(
            machine=machine_name(),
            resource="here",
            cores=allowance.cores(),
            memory_bytes=allowance.memory_bytes(),
            gpus=(),
            versions=library_versions(),
            made_at_s=time.time(),
            source="nominal",
            belief=belief,
            sources=("nominal",) * len(COEFFICIENTS),
        )

    @classmethod
    def measure(
        cls,
        session: SessionLike | None = None,
        on: str | None = None,
        *,
        budget_s: float = 20.0,
        warm_up_s: float | None = None,
    ) -> MachineProfile:
        """Time the real kernels where the work will run.

        Args:
            session: On a worker of this session; None measures this process.
            on: A kind of worker or a pilot's name.
            budget_s: Seconds to spend on it, at most 20.
            warm_up_s: What the first run takes longer there, in seconds, if that is known: where
                something has run already, it cannot be measured any more.

        Raises:
            QDreamerError: If the budget makes no sense.
        """
        nominal = cls.nominal()
        found = measured(session, on, budget_s, nominal.belief)
        return replace(
            nominal,
            machine=found.machine,
            resource=found.resource,
            cores=found.cores,
            memory_bytes=found.memory_bytes,
            gpus=found.gpus,
            versions=library_versions(),
            made_at_s=time.time(),
            source="measured",
            belief=found.belief,
            sources=tuple("measured" if each else "nominal" for each in found.touched),
            contention=nominal.contention if found.contention is None else found.contention,
            warm_up_s=next(s for s in (found.warm_up_s, warm_up_s, nominal.warm_up_s) if s),
        )

    @property
    def gpu_nominal(self) -> bool:
        """Whether nothing is known of a GPU: runs on CPUs only move its coefficients along."""
        source = self.sources[PLACE["gpu_pass"]]
        return source == "nominal" or (source == "observed" and not self.resource.endswith("GPU"))

    def value(self, name: str) -> float:
        """A coefficient, in nanoseconds per count.

        Raises:
            QDreamerError: If there is no such coefficient.
        """
        if name not in PLACE:
            raise QDreamerError(f"no coefficient {name!r}; there is {', '.join(PLACE)}")
        return float(self.belief.values[PLACE[name]])

    def refined(self, belief: Belief) -> MachineProfile:
        """With what was learned from a run."""
        moved = np.abs(np.log(belief.values / self.belief.values)) > 1e-3
        sources = tuple(
            "observed" if new else old for new, old in zip(moved, self.sources, strict=True)
        )
        return replace(self, belief=belief, sources=sources)

    def to_json(self) -> str:
        """As text; `from_json` reads it."""
        body: dict[str, Any] = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("belief", "sources")
        }
        body["format"] = _FORMAT
        body["coefficients"] = {
            coefficient.name: {"ns": value, "unit": coefficient.unit, "source": source}
            for coefficient, value, source in zip(
                COEFFICIENTS, self.belief.values.tolist(), self.sources, strict=True
            )
        }
        body["log_covariance"] = self.belief.covariance.tolist()
        body["spreads"] = dict(zip(PHASES, self.belief.spreads.tolist(), strict=True))
        body["observations"] = self.belief.observations
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str) -> MachineProfile:
        """Read what `to_json` wrote.

        Raises:
            QDreamerError: If it is no such text, or of another version.
        """
        try:
            body = json.loads(text)
            if body.pop("format") != _FORMAT:
                raise QDreamerError("a machine profile of another version; measure again")
            rows = body.pop("coefficients")
            if tuple(rows) != tuple(PLACE):
                raise QDreamerError("a machine profile with other coefficients; measure again")
            spreads = body.pop("spreads")
            belief = Belief(
                np.array([row["ns"] for row in rows.values()], dtype=np.float64),
                np.array(body.pop("log_covariance"), dtype=np.float64),
                np.array([spreads[name] for name in PHASES], dtype=np.float64),
                _tied(),
                int(body.pop("observations")),
            )
            sources = tuple(row["source"] for row in rows.values())
            body["gpus"], body["versions"] = tuple(body["gpus"]), tuple(body["versions"])
            return cls(**body, belief=belief, sources=sources)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise QDreamerError(f"this is no machine profile: {error!r}") from error

    def __str__(self) -> str:
        return _title(self) + "\n" + text_table(_COLUMNS, _rows(self))

    def _repr_html_(self) -> str:
        return html_table(_title(self), _COLUMNS, _rows(self))


_COLUMNS = ("coefficient", "value", "known to", "source", "what it stands for")


def _title(profile: MachineProfile) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(profile.made_at_s))
    gpus = ", ".join(profile.gpus) or "no GPU"
    return (
        f"{profile.machine} ({profile.resource}), {profile.source} {made}: {profile.cores} cores "
        f"per task, {readable(profile.memory_bytes)}, {gpus}; all workers busy: "
        f"{profile.contention:.2f} times as long; first run there: + "
        f"{seconds_text(profile.warm_up_s)}; "
        f"{profile.belief.observations} observations"
    )


def _rows(profile: MachineProfile) -> list[tuple[str, ...]]:
    doubt = np.sqrt(np.diag(profile.belief.covariance))
    values = zip(COEFFICIENTS, profile.belief.values, doubt, profile.sources, strict=True)
    return [
        (
            coefficient.name,
            f"{value:.4g} ns per {coefficient.unit}",
            f"{100 * np.expm1(s):.0f} %",
            source,
            coefficient.text,
        )
        for coefficient, value, s, source in values
    ]


def _tied() -> NDArray[np.float64]:
    """Which coefficients follow the speed of the machine."""
    return np.array([0.0 if coefficient.name in _UNTIED else 1.0 for coefficient in COEFFICIENTS])


def machine_name() -> str:
    """This machine's host name."""
    return platform.node() or "unnamed"


@functools.cache  # they are read from files, and asked for whenever something is priced
def library_versions() -> tuple[str, ...]:
    """Versions of the libraries on which speed depends."""
    names = ("numpy", "numba", "qiskit", "distributed")
    return (f"python {platform.python_version()}", *(f"{name} {version(name)}" for name in names))
