"""Checkers of the ninth notebook."""

from dataclasses import replace

import numpy as np
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap
from qiskit_aer import AerSimulator

from qdreamer_lab.course.own_parts import check_device, check_runner
from qdreamer_lab.workload.estimate import Estimate, Seconds
from qdreamer_lab.workload.exact.run import ExactRunner
from qdreamer_lab.workload.uncut.run import MatrixProductStateRunner
from tests.course.judging import judge


def line(num_qubits=5, **options):
    coupled = CouplingMap.from_line(num_qubits)
    return GenericBackendV2(num_qubits, coupling_map=coupled, seed=1, **options)


class Deaf(GenericBackendV2):
    """Runs nothing but its own idea of a circuit."""

    def run(self, run_input, **options):
        empty = run_input.copy_empty_like()
        empty.measure_all(add_bits=False)
        return super().run(empty, **options)


class Random(GenericBackendV2):
    """Tosses a coin for every qubit."""

    def run(self, run_input, **options):
        coins = run_input.copy_empty_like()
        coins.h(range(5))
        coins.measure_all(add_bits=False)
        return super().run(coins, **options)


class Broken(GenericBackendV2):
    def run(self, run_input, **options):
        raise RuntimeError("the fridge is warm")


def test_devices():
    coupled = CouplingMap.from_line(5)
    judge(
        check_device,
        [
            line,
            lambda: AerSimulator.from_backend(line()),
            lambda: line(basis_gates=["cx", "rz", "sx", "x"]),
        ],
        [
            (lambda: GenericBackendV2, "a BackendV2 is wanted"),
            (lambda: line(4), "has 4 qubits"),
            (lambda: GenericBackendV2(5, seed=1), "a line is"),
            (lambda: Deaf(5, coupling_map=coupled, seed=1), "really run"),
            (lambda: Random(5, coupling_map=coupled, seed=1), "more noise than signal"),
            (lambda: Broken(5, coupling_map=coupled, seed=1), "the fridge is warm"),
            (lambda: 1 / 0, "ZeroDivisionError"),
            (line(), "A function is wanted"),
        ],
        placeholders=(None, ..., lambda: None),
    )


class Dense:
    """Answers with Qiskit's state vectors."""

    def run(self, request, settings, execution):
        values = np.array([self.value(request, k, o) for k, o in self.pairs(request)])
        return Estimate(
            evs=values,
            stds=np.zeros(len(values)),
            rows=(),
            plans=(),
            variants=len(request.circuits),
            shots=0,
            seconds=Seconds(),
        )

    def pairs(self, request):
        return request.pairs.tolist()

    def value(self, request, k, o):
        circuit = request.circuits[k]
        terms = [
            ("".join(letter for _, letter in term.factors), [q for q, _ in term.factors], c)
            for term in request.observables[o]
            for c in [self.coefficient(term)]
        ]
        operator = SparsePauliOp.from_sparse_list(terms, circuit.num_qubits)
        return Statevector(circuit).expectation_value(operator).real

    def coefficient(self, term):
        return term.coefficient


class Unordered(Dense):
    def pairs(self, request):
        return sorted(request.pairs.tolist(), key=lambda pair: pair[::-1])


class FirstOnly(Dense):
    def value(self, request, k, o):
        return super().value(request, 0, o)


class Unweighted(Dense):
    def coefficient(self, term):
        return 1.0


class Backwards(Dense):
    def value(self, request, k, o):
        n = request.circuits[k].num_qubits
        turned = tuple(
            replace(t, factors=tuple((n - 1 - q, letter) for q, letter in t.factors))
            for t in request.observables[o]
        )
        return super().value(replace(request, observables=(turned,)), k, 0)


class Doubtful(Dense):
    def run(self, *given):
        estimate = super().run(*given)
        return replace(estimate, stds=estimate.stds + 0.1)


class Short(Dense):
    def run(self, *given):
        estimate = super().run(*given)
        return replace(estimate, evs=estimate.evs[:0], stds=estimate.stds[:0])


class Bare(Dense):
    def run(self, *given):
        return super().run(*given).evs


class Empty:
    def run(self, request, settings, execution): ...


def test_runners():
    judge(
        check_runner,
        [Dense, ExactRunner, MatrixProductStateRunner],
        [
            (Unordered, "another order"),
            (FirstOnly, "those of the first circuit"),
            (Unweighted, "coefficients"),
            (Backwards, "last letter of a label"),
            (Doubtful, "exact"),
            (Short, "one value for each row"),
            (Bare, "an Estimate is wanted"),
            (dict, "no method run"),
            (Dense(), "A function is wanted"),
        ],
        placeholders=(None, ..., Empty),
    )
