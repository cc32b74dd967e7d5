"""Where the variants of each fragment run: on which devices, or on simulators.

Devices that a fragment fits share its variants. What one of them cannot run is for the others, and
in the end for simulators, if the user allows it. This module must not know values.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.provider.registry import held
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.execution.device import DeviceOptions
from qdreamer_lab.workload.sampled.device.check import check_device, is_simulated, measures_midway
from qdreamer_lab.workload.sampled.device.choice import Choice, Outlook, job_s, shot_s
from qdreamer_lab.workload.sampled.device.deals import Asked, parted
from qdreamer_lab.workload.sampled.device.fidelity import fragment_seconds, fragment_success
from qdreamer_lab.workload.sampled.device.held_outcomes import ways_to_hold
from qdreamer_lab.workload.sampled.device.jobs import run_on_device
from qdreamer_lab.workload.sampled.device.marked_circuit import fragment_circuit
from qdreamer_lab.workload.sampled.device.transpile import Forms, transpiled
from qdreamer_lab.workload.sampled.shot_share import ShotPart
from qdreamer_lab.workload.sampled.simulate import sample_fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.device import Device
    from qdreamer_lab.workload.sampled.device.fidelity import Written
    from qdreamer_lab.workload.sampled.lower import SampledProgram, ShotProgram
    from qdreamer_lab.workload.sampled.shot_share import ShotShare
    from qdreamer_lab.workload.sampled.shots import ShotRequest, ShotResult
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Failure", "Routes"]

_ANY = Outlook(1.0, None)
"""Of the only device that there is, which nothing is compared with."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a task hands back instead of a result when its device has failed.

    Attributes:
        error: The reason.
        seconds: Wall time until then.
    """

    error: DeviceError
    seconds: float


class Routes:
    """Where fragments run.

    Args:
        devices: Several share the fragments; none for simulators.
        in_process: The devices are at hand here; otherwise workers find theirs.
        fallback: Whether simulators may step in.
        simulate_on: What holds the states of simulators, "CPU" or "GPU".
        prefer: Of several devices that a fragment fits, "time" has all share it so that the last is
            done soon, "fidelity" those where fewest shots will have errors, "cost" the cheapest.
        options: How devices run circuits.
        shots: Of all fragments of a binding together, about.

    Raises:
        QDreamerError: If prices are to decide, and there are none, or in several currencies.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        in_process: bool,
        fallback: bool,
        simulate_on: str = "CPU",
        prefer: str = "time",
        options: DeviceOptions | None = None,
        shots: float = 0.0,
    ) -> None:
        self._options = options or DeviceOptions()
        self._simulate_on = simulate_on
        self._choice = Choice(devices, prefer)
        self._shots = shots
        self._devices = tuple(devices)
        self._in_process = in_process
        self._fallback = fallback
        self._source: _Source | None = None
        self._forms: dict[tuple[int, int, str], Forms] = {}
        self._chosen: dict[int, tuple[Device, ...]] = {}
        self._outlooks: dict[tuple[int, str], Outlook] = {}
        self._lost: dict[str, DeviceError] = {}
        self._refused: dict[int, dict[str, DeviceError]] = {}
        self._unfit: dict[int, dict[str, DeviceError]] = {}
        self.transpile_s = 0.0

    @property
    def rerouted(self) -> dict[int, str]:
        """Fragments that simulators take in, and why."""
        return {
            number: "; ".join(map(str, (self._unfit[number] | self._refused[number]).values()))
            for number, chosen in sorted(self._chosen.items())
            if not chosen
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told."""
        told: dict[tuple[str, str], list[int]] = {}
        for number, chosen in sorted(self._chosen.items()):
            for error in self._refused.get(number, {}).values():
                if chosen:
                    names = " and ".join(device.name for device in chosen)
                    told.setdefault((names, str(error)), []).append(number)
        moved = tuple(
            f"what was left of fragment{'s' if len(numbers) > 1 else ''} "
            f"{', '.join(map(str, numbers))} ran on {names}: {error}"
            for (names, error), numbers in told.items()
        )
        simulated = tuple(
            f"fragment {fragment} ran on a simulator instead: {reason}"
            for fragment, reason in self.rerouted.items()
        )
        return moved + simulated + self.costs

    @property
    def costs(self) -> tuple[str, ...]:
        """What it costs that devices cannot measure in the middle of circuits."""
        waiting: dict[int, dict[str, int]] = {}
        for (_, number, name), forms in self._forms.items():
            if forms.most_held and name in (each.name for each in self._chosen.get(number, ())):
                held = waiting.setdefault(number, {})
                held[name] = max(held.get(name, 0), forms.most_held)
        return tuple(
            f"fragment {number}: outcomes of its gate cuts wait for the end of its circuits on up "
            f"to {max(held.values())} more qubit{'s' if max(held.values()) > 1 else ''}, with one "
            f"CX each, since {' and '.join(held)} {'does' if len(held) == 1 else 'do'} not measure "
            "on the way; circuits and sampling overhead are the same"
            for number, held in sorted(waiting.items())
        )

    def prepare(
        self,
        programs: Sequence[ShotProgram],
        circuit: QuantumCircuit,
        values: Sequence[Mapping[str, float]],
    ) -> None:
        """Write every fragment for the devices that it fits, once for all bindings that allow it.

        The widest choose first.

        Raises:
            DeviceError: If one fits no device, and no simulator may step in.
        """
        if not self._devices:
            return
        self._source = _Source(tuple(programs), circuit, tuple(values))
        if len(self._devices) > 1:
            self._choice.ask_queues()
        for number in self._source.widest_first():
            self._choose(number)

    def written(self, program: SampledProgram) -> list[Written | None]:
        """The fragments of the first binding as devices have them; None for those of simulators."""
        found: list[Written | None] = []
        for fragment in program.fragments:
            number = fragment.program.id
            on = next(iter(self._chosen.get(number, ())), None)
            forms = None if on is None else self._forms[0, number, on.name]
            found.append(None if on is None or forms is None else (fragment, forms, on.backend))
        return found

    def devices(self, fragment: int) -> tuple[Device, ...]:
        """The devices that share a fragment; none for simulators."""
        return self._chosen.get(fragment, ())

    def refuse(
        self, fragment: int, error: DeviceError, failed: Device, *, lost: bool = False
    ) -> None:
        """Have a fragment run on the other devices that it fits from now on, else on simulators.

        Args:
            fragment: Its id.
            error: Why it cannot run where it does.
            failed: Where that was; nothing happens if that is known already.
            lost: The device runs nothing else either.

        Raises:
            DeviceError: The error itself, if nothing is left.
        """
        if lost:
            self._lost[failed.name] = error
        refused = self._refused.setdefault(fragment, {})
        if failed.name not in refused:
            refused[failed.name] = error
            self._choose(fragment)

    def dealt(
        self, asked: Sequence[tuple[ShotShare, ShotRequest]]
    ) -> tuple[dict[Device, list[ShotPart]], list[ShotPart]]:
        """Deal requests out.

        Args:
            asked: Requests, each with the share that it belongs to.

        Returns:
            What each device is to run, and what is for simulators.

        Raises:
            DeviceError: If nothing is left that a fragment could run on.
        """
        self._leave_lost({share.number for share, _ in asked})
        simulated = [self._part(each, None) for each in asked if not self.devices(each[0].number)]
        rest = [each for each in asked if self.devices(each[0].number)]
        devices = [each for each in self._devices if self._shares(each, rest)]
        if len(devices) == 1:
            dealt = [[(k, request) for k, (_, request) in enumerate(rest)]]
        else:
            dealt = parted(
                [self._asked(each, devices) for each in rest],
                [self._choice.wait_s(device) for device in devices],
                [job_s(device) for device in devices],
            )
        work = {
            device: [self._part((rest[k][0], request), device) for k, request in mine]
            for device, mine in zip(devices, dealt, strict=True)
            if mine
        }
        for device in work:
            self._choice.began(device)
        return work, simulated

    def _leave_lost(self, fragments: set[int]) -> None:
        """Have fragments leave devices that are lost."""
        for number in sorted(fragments):
            for device in self.devices(number):
                if device.name in self._lost:
                    self.refuse(number, self._lost[device.name], device)

    def _shares(self, device: Device, asked: Sequence[tuple[ShotShare, ShotRequest]]) -> bool:
        return any(device in self.devices(share.number) for share, _ in asked)

    def _asked(self, each: tuple[ShotShare, ShotRequest], devices: Sequence[Device]) -> Asked:
        """A request as it is dealt out."""
        share, request = each
        mine = self.devices(share.number)
        return Asked(
            request,
            size=len(share.request.variants),
            shot_s=tuple(
                shot_s(self._outlooks[share.number, device.name]) if device in mine else None
                for device in devices
            ),
            parts=self._choice.parts,
            # A seed means the same however many simulated devices there are.
            shares=self._choice.parts and not any(is_simulated(each.backend) for each in mine),
        )

    def _part(self, each: tuple[ShotShare, ShotRequest], device: Device | None) -> ShotPart:
        share, request = each
        return ShotPart(share, request, partial(self._call, share.binding, share.fragment, device))

    def _call(
        self, binding: int, fragment: ShotFragment, device: Device | None, request: ShotRequest
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The function, and its arguments, that runs a request."""
        number = fragment.program.id
        if device is None:
            # The request is always the last argument.
            on_gpu = self._simulate_on == "GPU"
            run = partial(sample_fragment, device="GPU") if on_gpu else sample_fragment
            return run, (fragment, request)
        backend = device.backend if self._in_process else None
        return attempt, (fragment, self._forms[binding, number, device.name], backend, request)

    def _choose(self, number: int) -> None:
        """Find out which devices share a fragment, of those that can run it and have not failed."""
        start = time.perf_counter()
        failed, unfit = self._refused.setdefault(number, {}), self._unfit.setdefault(number, {})
        outlooks: dict[str, Outlook] = {}
        for device in self._devices:
            if device.name not in failed and device.name not in unfit:
                try:
                    self._write(number, device)
                except DeviceError as error:
                    unfit[device.name] = error
                else:
                    alone = len(self._devices) == 1
                    outlooks[device.name] = _ANY if alone else self._outlook(number, device)
        chosen = self._choice.among(outlooks, self._shots_of(number))
        self.transpile_s += time.perf_counter() - start
        if not chosen and not self._fallback:
            raise list((unfit | failed).values())[-1]
        self._chosen[number] = chosen
        self._outlooks |= {(number, name): outlook for name, outlook in outlooks.items()}

    def _outlook(self, number: int, device: Device) -> Outlook:
        """What a fragment would be on a device that it is written for."""
        assert self._source is not None
        binding, fragment, _ = next(self._source.of(number))
        written = fragment, self._forms[binding, number, device.name], device.backend
        return Outlook(fragment_success(*written), fragment_seconds(*written))

    def _shots_of(self, number: int) -> float:
        """About how many shots a fragment will take."""
        assert self._source is not None
        return self._shots * self._source.variants(number) / self._source.all_variants

    def _write(self, number: int, device: Device) -> None:
        """Write a fragment of all bindings for a device.

        Raises:
            DeviceError: If it cannot be.
        """
        assert self._source is not None
        circuit, given = self._source.circuit, self._options.mid_circuit
        midway = measures_midway(device.backend) if given is None else given
        for binding, fragment, program in self._source.of(number):
            if (binding, number, device.name) in self._forms:
                continue
            check_device((fragment,), device.backend, midway=midway)
            templates = {}
            for cuts in [()] if midway else ways_to_hold(fragment):
                source = fragment_circuit(circuit, program.plan, fragment.program, cuts)
                templates[cuts] = transpiled(source, device.backend)
            options = self._options
            forms = Forms(templates, midway, options.mitigation, options.noise_factor)
            forms = forms.bound(self._source.values[binding])
            self._forms[binding, number, device.name] = forms


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """What is written for devices."""

    programs: tuple[ShotProgram, ...]
    circuit: QuantumCircuit
    values: tuple[Mapping[str, float], ...]

    def of(self, number: int) -> Iterator[tuple[int, ShotFragment, ShotProgram]]:
        """A fragment in every binding that has it, with the binding's number and program."""
        for binding, program in enumerate(self.programs):
            for fragment in program.fragments:
                if fragment.program.id == number:
                    yield binding, fragment, program

    def variants(self, number: int) -> int:
        """Of a fragment, in all bindings."""
        return sum(fragment.num_variants for _, fragment, _ in self.of(number))

    @property
    def all_variants(self) -> int:
        """Of all fragments, in all bindings."""
        return sum(program.num_variants for program in self.programs)

    def widest_first(self) -> list[int]:
        """All fragments; among equally wide ones that with most variants comes first."""
        width = {f.program.id: f.program.width for each in self.programs for f in each.fragments}
        return sorted(width, key=lambda number: (-width[number], -self.variants(number), number))


def attempt(
    fragment: ShotFragment, forms: Forms, backend: BackendV2 | None, request: ShotRequest
) -> ShotResult | Failure:
    """Run a request on a backend, or on the one that this worker stands for."""
    start = time.perf_counter()
    try:
        if backend is None:
            # Only QPU workers need it, and it loads Aer.
            from pilot_kernel.primitive.device.backend import backend_here

            backend = backend_here()
            if backend is None:
                raise DeviceError("none", "this worker has no QPU")
        with held(backend):
            return run_on_device(fragment, forms, request, backend)
    except DeviceError as error:
        return Failure(error, time.perf_counter() - start)
    except QpuError as error:  # it could not be held
        name = "none" if backend is None else backend.name
        return Failure(DeviceError(name, str(error)), time.perf_counter() - start)
