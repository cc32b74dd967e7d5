"""The self-test of a QPU: two circuits whose outcomes are known, by the path that work will take.

A device that answers something else is refused with the reason, before anybody's circuits run
there. Some answers are wrong without an error: Qiskit's `BackendSamplerV2` fills in zeros where a
backend returns no memory (Qiskit/qiskit#15694), and devices differ in the order of their bits.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.primitives.containers import BitArray, DataBin
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from pilot_kernel.errors import PilotError, PubError, QpuError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.provider.registry import held, provider_of
from pilot_kernel.primitive.device.run import run_pubs
from pilot_kernel.resource.kind.vendors import showable, without_secrets
from pilot_kernel.task.wire import results

__all__ = ["LEAST_SHARE", "SHOTS", "check_device", "test_once"]

SHOTS = 200
"""Shots of each of the two circuits."""

LEAST_SHARE = 0.4
"""Share of the shots of each circuit that must be right.

A device that gets a shot right with a probability of 0.6 or more fails by chance in fewer than one
of 10^7 tests: P(Bin(200, 0.6) < 80) = 8e-9, twice. One that guesses three bits passes in fewer than
one of 10^19, P(Bin(200, 1/8) >= 80) = 1e-20, and one that guesses four even less often.
"""

_WIDTH = 4
"""Bits, in two registers where there are as many: 0001 tells which end is which, of the registers
and of the bits in each."""

_PASSED = b"passed"


def check_device(backend: BackendV2) -> None:
    """Test a device: |0> and X, on up to four qubits of which X turns the first.

    Raises:
        QpuError: It is offline, fails, or does not return what was measured; the message says how.
    """
    name = backend.name
    _check_online(backend)
    circuits = _circuits(min(_WIDTH, backend.num_qubits or _WIDTH))
    try:
        pubs = for_device([SamplerPub(c, shots=SHOTS) for c in circuits], backend, (), None)
        with held(backend):
            results = run_pubs(pubs, backend)
        found = [_whole(c, each.data) for c, each in zip(circuits, results, strict=True)]
    except PubError as error:
        raise QpuError(f"QPU {name} failed its self-test: {error}") from error
    except Exception as error:  # noqa: BLE001 backends may raise anything
        told = without_secrets(str(error)) or "it gives no reason"
        kind = "" if isinstance(error, PilotError) else f"{type(error).__name__}: "
        raise QpuError(f"QPU {name} failed its self-test: {kind}{told}") from showable(error)
    for what, circuit, bits in zip(("|0>", "X"), circuits, found, strict=True):
        wrong = _wrong(circuit, bits, backend)
        if wrong:
            raise QpuError(f"QPU {name} failed its self-test: {wrong} (circuit {what})")


def _check_online(backend: BackendV2) -> None:
    """Refuse a device that says itself that it is offline; many say nothing."""
    status = getattr(backend, "status", None)
    if not callable(status):
        return
    try:
        told = status()
    except Exception as error:  # noqa: BLE001 it is asked over the network
        raise QpuError(
            f"QPU {backend.name} cannot be asked for its status: {type(error).__name__}: "
            f"{without_secrets(str(error))}"
        ) from showable(error)
    if getattr(told, "operational", True) is False:
        why = getattr(told, "status_msg", "") or "it does not say why"
        raise QpuError(f"QPU {backend.name} is offline ({why}): wait, or use another one")


def _circuits(width: int) -> tuple[QuantumCircuit, QuantumCircuit]:
    zero = QuantumCircuit(width)
    half = width // 2 if width == _WIDTH else 0
    for name, size in (("low", half), ("high", width - half)):
        if size:
            zero.add_register(ClassicalRegister(size, name))
    one = zero.copy()
    one.x(0)
    for circuit in (zero, one):
        circuit.measure(range(width), range(width))
    return zero, one


def _whole(circuit: QuantumCircuit, data: DataBin) -> BitArray:
    """All bits of a circuit, the first being the least significant."""
    bits = [data[register.name].to_bool_array(order="little") for register in circuit.cregs]
    if len({len(each) for each in bits}) > 1:
        raise QpuError("its registers have different numbers of shots")
    return BitArray.from_bool_array(np.concatenate(bits, axis=-1), order="little")


def _wrong(circuit: QuantumCircuit, bits: Any, backend: BackendV2) -> str:
    """What is wrong with the shots of a circuit; nothing if they are what was measured."""
    if bits.num_shots != SHOTS:
        return f"it was asked for {SHOTS} shots and returned {bits.num_shots}"
    counts = Counter(bits.get_counts())
    turned = circuit.count_ops().get("x", 0)
    right = format(turned, f"0{bits.num_bits}b")
    if counts[right] >= LEAST_SHARE * SHOTS:
        return ""
    for seen in _misplaced(right) if turned else ():
        if counts[seen] >= LEAST_SHARE * SHOTS:
            kind = "its bits come in reverse order" if seen == right[::-1] else "bits are mixed up"
            return f"{kind}: {seen} instead of {right}"
    if turned and counts["0" * bits.num_bits] == SHOTS and provider_of(backend) is not None:
        return (
            f"zeros alone instead of {right}: its run() returns no memory, which its provider's "
            "sampler takes for zeros (Qiskit/qiskit#15694)"
        )
    most, number = counts.most_common(1)[0]
    return (
        f"{counts[right]} of {SHOTS} shots are {right}, at least {LEAST_SHARE:.0%} should be, and "
        f"{number} are {most}"
    )


def _misplaced(right: str) -> list[str]:
    """Outcomes in which the bit that is one has another place."""
    return [right[k:] + right[:k] for k in range(1, len(right))]


def test_once(name: str, test: str) -> None:
    """Test a device unless another process has done so; what is wrong with it is told to each.

    Args:
        name: The device, as in `qpu://name`.
        test: What the test is called, unlike those of other pilots.

    Raises:
        DescriptionError: There is no such device, or it is no `BackendV2`.
        QpuError: It failed.
    """
    folder = results.home()
    if folder is None or not test:
        check_device(backend_named(name))
        return
    _by_one_process(
        Path(folder).parent / f"self-test-{test}", lambda: check_device(backend_named(name))
    )


def _by_one_process(path: Path, check: Callable[[], None]) -> None:
    """Run a check while no other process does, unless one has passed; a file keeps that."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # which goes with the process
        if os.read(descriptor, len(_PASSED)) != _PASSED:
            check()
            os.write(descriptor, _PASSED)
    finally:
        os.close(descriptor)


test_once.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test
