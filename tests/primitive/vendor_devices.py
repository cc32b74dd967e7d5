"""Devices that answer as vendors' do: counts alone, in bits or hexadecimal, short, or broken."""

from qiskit.providers import BackendV2, Options
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit_aer import AerSimulator


class _Job:
    def __init__(self, result):
        self.result = lambda: result


class Vendor(BackendV2):
    """An ideal device whose answers are made of Aer's by `data(circuit, counts, memory)`."""

    def __init__(self, data, *, target=None, max_circuits=None, success=True, keep=None):
        super().__init__(name="vendor")
        self._target = target or AerSimulator().target
        self._data, self._success, self._keep = data, success, keep
        self._most = max_circuits
        self.jobs = []

    target = property(lambda self: self._target)
    max_circuits = property(lambda self: self._most)

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, run_input, **options):
        self.jobs.append(len(run_input))
        found = AerSimulator().run(run_input, **{**options, "memory": True}).result().results
        results = [
            ExperimentResult(
                shots=result.shots,
                success=self._success,
                status="out of order",
                data=self._data(circuit, result.data.counts, result.data.memory),
            )
            for circuit, result in zip(run_input, found, strict=True)
        ]
        return _Job(Result(results=results[: self._keep], success=self._success))


class Terse(Vendor):
    """A device whose `run` knows shots and nothing else."""

    def run(self, run_input, shots):
        return super().run(run_input, shots=shots)


def _bits(circuit, text, gap):
    """A hexadecimal outcome as bits, with a gap between registers."""
    bits = format(int(text, 16), f"0{circuit.num_clbits}b")
    parts = []
    for register in circuit.cregs:
        parts.insert(0, bits[len(bits) - register.size :])
        bits = bits[: len(bits) - register.size]
    return gap.join(parts)


def counts_as(key):
    """Answers with counts alone, each outcome written by `key(circuit, hexadecimal)`."""
    return lambda circuit, counts, memory: ExperimentResultData(
        counts={key(circuit, outcome): number for outcome, number in counts.items()}
    )


FORMATS = {
    "hexadecimal": counts_as(lambda _, text: text),
    "binary": counts_as(lambda _, text: bin(int(text, 16))),
    "numbers": counts_as(lambda _, text: int(text, 16)),
    "bits": counts_as(lambda circuit, text: _bits(circuit, text, "")),
    "bits with spaces": counts_as(lambda circuit, text: _bits(circuit, text, " ")),
    "bits with underscores": counts_as(lambda circuit, text: _bits(circuit, text, "_")),
    "memory in bits": lambda circuit, counts, memory: ExperimentResultData(
        memory=[_bits(circuit, text, " ") for text in memory], counts=counts
    ),
    "floats": lambda circuit, counts, memory: ExperimentResultData(
        counts={outcome: float(number) for outcome, number in counts.items()}
    ),
}
