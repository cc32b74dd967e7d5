"""Every mode of the runtime can be predicted, in the way that its line says."""

import pytest

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.dreamer.modes import MODE_COSTS, cost_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.mode import Mode
from qdreamer_lab.workload.modes import MODES
from tests.circuits.plain import ghz, neighbours


def test_every_mode_has_one_line():
    assert [cost.mode for cost in MODE_COSTS] == list(MODES)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode.name} {mode.method}")
def test_every_mode_is_predicted(mode):
    dreamer = QDreamer(profile=MachineProfile.nominal())
    predicted = dreamer.predict(ghz(4), neighbours(4), mode=mode.name, method=mode.method)
    assert predicted.configuration.resolved is mode
    assert (predicted.shots > 0) == mode.takes_shots
    assert predicted.makespan_s > 0


def test_a_mode_without_a_line_is_named():
    unknown = Mode("exact", "by hand", cuts=False, takes_shots=False, runner=list)
    with pytest.raises(QDreamerError, match="'by hand' cannot be predicted"):
        cost_of(unknown)


def test_probes_of_all_modes_can_be_called():
    for cost in MODE_COSTS:
        assert cost.worker_probes(1)[0].counts.any()
        assert all(probe.counts.any() for probe in cost.local_probes()[:1])
