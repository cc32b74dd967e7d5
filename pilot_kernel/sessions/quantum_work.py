"""What a session does with circuits: PUBs are run, and primitives are made that run there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.task.notebook.task_like import TaskLike

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from pilot_kernel.primitive.dry_run import DryRun
    from pilot_kernel.primitive.estimator import PilotEstimator
    from pilot_kernel.primitive.sampler import PilotSampler

__all__ = ["QuantumWork"]


class QuantumWork(SessionLike):
    """The quantum part of a session."""

    def run(
        self,
        pubs: Any,
        *,
        shots: int | None = None,
        precision: float | None = None,
        on: str | Sequence[str] | None = None,
        prefer: str = "time",
        terms: Any = None,
        fallback: str | None = None,
        **options: Any,
    ) -> TaskLike:
        """Run PUBs on the pilot: with observables as an estimator does, else as a sampler does.

        Where `on` names several QPUs, they run on the best of those that they fit, and on the next
        if that fails. The result's metadata then say which it was ("device") and what was wrong
        with others ("failed").

        Args:
            pubs: A circuit, a PUB or a list of them, all with observables or none. Observables are
                of the state before measurements that a circuit ends in.
            shots: Shots of a sampler PUB that names none; 1024 by default.
            precision: Precision of an estimator PUB that names none; exact by default, and 1/64
                on a QPU.
            on: A kind of worker or a pilot's name; or several of QPUs.
            prefer: Which QPU is the best: "time", the one that is expected to be done first, by the
                length of shots and who waits there; "fidelity", the one where fewest shots will
                have errors, by what devices say of their gates, readout and idle qubits; "cost",
                the cheapest by `terms`.
            terms: What devices' owners ask, such as `qdreamer_lab.DeviceTerms`: one for all, or by
                the names of pilots or devices.
            fallback: A kind of worker or a pilot's name, where they go if nothing else takes them.
            **options: As `submit` takes them: name, retries, timeout_s, cores, memory_bytes, gpus,
                tags, priority, workload; seed; and, for a QPU,
                optimization_level of the transpilation (0 to 3; 2 by default).

        Returns:
            A task whose result is a Qiskit `PrimitiveResult`.

        Raises:
            PubError: A PUB cannot run as it is.
            PlacementError: `on` names nothing that exists, or simulators beside QPUs.
            PilotError: `prefer` is none of these, or "cost", and prices are missing.
        """
        from pilot_kernel.primitive.anywhere import run_anywhere

        where: dict[str, Any] = {"on": on, "prefer": prefer, "terms": terms, "fallback": fallback}
        return run_anywhere(self, pubs, shots=shots, precision=precision, **where, **options)

    def dry_run(
        self,
        pubs: Any,
        *,
        shots: int | None = None,
        precision: float | None = None,
        on: str | Sequence[str] | None = "qpu",
        prefer: str = "time",
        terms: Any = None,
        optimization_level: int | None = None,
    ) -> "DryRun":
        """Say what `run` would take on a QPU: circuits, jobs, shots, seconds; nothing is sent.

        Args:
            pubs: As for `run`.
            shots: As for `run`.
            precision: As for `run`.
            on: As for `run`; of several QPUs, the one that they would run on is told of.
            prefer: As for `run`.
            terms: As for `run`.
            optimization_level: Of the transpilation.

        Raises:
            PubError: A PUB cannot run as it is, or no QPU is meant.
            PlacementError: `on` names nothing that exists, or simulators beside QPUs.
        """
        from pilot_kernel.primitive.pub.check import has_observables, listed

        found = listed(pubs)
        how: dict[str, Any] = {"on": on, "prefer": prefer, "terms": terms}
        if has_observables(found):
            estimator = self.estimator(optimization_level=optimization_level, **how)
            return estimator.dry_run(found, precision=precision)
        sampler = self.sampler(optimization_level=optimization_level, **how)
        return sampler.dry_run(found, shots=shots)

    def backend(self, on: str | None = "qpu") -> "BackendV2 | None":
        """The Qiskit backend of a QPU, to transpile for it; None where workers simulate.

        Args:
            on: A kind of worker or a pilot's name.

        Raises:
            PlacementError: `on` names nothing that exists, or several QPUs.
        """
        from pilot_kernel.primitive.device.backend import backend_of

        return backend_of(self.candidates(on))

    def sampler(self, *, on: str | Sequence[str] | None = None, **options: Any) -> "PilotSampler":
        """A Qiskit sampler (`BaseSamplerV2`) that runs on the pilot; see `PilotSampler`."""
        from pilot_kernel.primitive.sampler import PilotSampler

        return PilotSampler(self, on=on, **options)

    def estimator(
        self, *, on: str | Sequence[str] | None = None, **options: Any
    ) -> "PilotEstimator":
        """A Qiskit estimator (`BaseEstimatorV2`) that runs on the pilot; see `PilotEstimator`."""
        from pilot_kernel.primitive.estimator import PilotEstimator

        return PilotEstimator(self, on=on, **options)
