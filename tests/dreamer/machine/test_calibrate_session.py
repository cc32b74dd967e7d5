"""Q-Dreamer with real workers."""

import pytest

from qdreamer_lab import QDreamer
from qdreamer_lab.dreamer.machine.store import load_profile
from qdreamer_lab.dreamer.model.coefficients import PLACE
from tests.circuits.plain import ghz, neighbours


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))


def test_calibrate_recommend_run_and_learn_on_workers(session):
    dreamer = QDreamer(session)
    before = dreamer.predict(ghz(12), neighbours(12), max_qubits=6)
    assert before.configuration.workers == 2
    assert any("never measured" in note for note in before.notes)
    profile = dreamer.calibrate(4.0)  # as much as a busy machine may need
    assert profile.resource == "local://"
    assert 1 <= profile.contention <= 2
    assert profile.sources[PLACE["transpiling"]] == "nominal"
    found = dreamer.recommend(ghz(12), neighbours(12))
    assert not any("measured" in note for note in found.best.notes)
    assert found.best.phase("dispatch").seconds > 0
    assert found.run().data.evs == pytest.approx(11.0)
    kept = load_profile("local://")
    assert kept is not None
    assert kept.belief.observations == dreamer.profile().belief.observations > 0
