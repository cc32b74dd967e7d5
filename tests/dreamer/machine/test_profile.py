"""Profiles: measured, kept, shown."""

import dataclasses
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from qdreamer_lab import MachineProfile
from qdreamer_lab.dreamer.exact.probes import exact_probes, gpu_probes, join_probes
from qdreamer_lab.dreamer.machine.measure import _gpus
from qdreamer_lab.dreamer.machine.store import EXPIRY_S, load_profile, save_profile
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PLACE, hats
from qdreamer_lab.dreamer.model.probe import timed
from qdreamer_lab.dreamer.modes import cost_of
from qdreamer_lab.dreamer.sampled.probes import round_probes, shot_probes
from qdreamer_lab.dreamer.uncut.probes import chain_probes
from qdreamer_lab.errors import GpuError, QDreamerError
from qdreamer_lab.workload.modes import EXACT


def test_round_trip_through_json():
    one = MachineProfile.nominal()
    two = MachineProfile.from_json(one.to_json())
    assert two.to_json() == one.to_json()
    assert np.array_equal(one.belief.values, two.belief.values)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 2}'])
def test_other_texts_are_refused(text):
    with pytest.raises(QDreamerError):
        MachineProfile.from_json(text)


def test_other_coefficients_are_refused():
    body = json.loads(MachineProfile.nominal().to_json())
    del body["coefficients"]["step"]
    with pytest.raises(QDreamerError, match="other coefficients"):
        MachineProfile.from_json(json.dumps(body))
    body = json.loads(MachineProfile.nominal().to_json())
    body["coefficients"]["step"]["ns"] = -1.0
    with pytest.raises(QDreamerError, match="step"):
        MachineProfile.from_json(json.dumps(body))


def test_every_coefficient_has_a_unit_and_is_shown():
    profile = MachineProfile.nominal()
    shown, html = str(profile), profile._repr_html_()
    for one in COEFFICIENTS:
        assert one.unit
        assert one.nominal_ns > 0
        assert f"ns per {one.unit}" in shown
        assert one.name in html
    assert profile.value("step") == 2000
    with pytest.raises(QDreamerError, match="no coefficient"):
        profile.value("speed")


@pytest.mark.parametrize("size", [1, 2**18, 2**19.5, 2**22, 2**25, 2**40])
def test_weights_of_working_sets_add_up(size):
    assert sum(hats(size)) == pytest.approx(1)
    assert min(hats(size)) >= 0


def test_kept_until_it_expires(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    assert load_profile() is None
    profile = MachineProfile.nominal()
    path = save_profile(profile)
    found = load_profile()
    assert found is not None
    assert found.to_json() == profile.to_json()
    assert load_profile(now_s=profile.made_at_s + EXPIRY_S + 1) is None
    assert load_profile("ssh://elsewhere") is None
    path.write_text("half of i")
    assert load_profile() is None


def test_probes_run_and_every_step_of_exact_mode_is_in_one():
    probes = [*exact_probes(1)[:4], *join_probes()[:2]]
    times = timed([one.call for one in probes], 5.0)
    assert len(times) == len(probes)
    assert all(0 < one.seconds <= 5 and one.noise >= 0 for one in times)
    counts = sum(one.counts for one in (*exact_probes(1), *join_probes()))
    missing = {one.name for one, n in zip(COEFFICIENTS, counts, strict=True) if n == 0}
    told = ("gram", "dense", "half", "diagonal", "crowded", "pass", "operation", "visit", "join")
    assert not any(name.startswith((*told, "sweep")) for name in missing)
    shared = [each for each in exact_probes(2) if each.counts[PLACE["wake"]]]
    together = sum(each.counts for each in shared)
    assert together[PLACE["shared_gate"]] > 0
    assert together[PLACE["shared_sweep_huge"]] > 0


def test_measuring_uses_what_time_there_is(monkeypatch):
    exact = cost_of(EXACT)
    monkeypatch.setattr("qdreamer_lab.dreamer.machine.measure.MODE_COSTS", (exact,))
    profile = MachineProfile.measure(budget_s=0.2)
    assert profile.source == "measured"
    assert "measured" in profile.sources
    assert "nominal" in profile.sources
    for budget in (0, -1, 100, True, "x", float("nan")):
        with pytest.raises(QDreamerError, match="budget_s"):
            MachineProfile.measure(budget_s=budget)


def test_gpus_are_named_where_the_library_is(monkeypatch):
    gpu = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda k: k,
        nvmlDeviceGetName=lambda one: b"H200",
        nvmlDeviceGetMemoryInfo=lambda one: SimpleNamespace(total=141 << 30),
    )
    monkeypatch.setitem(sys.modules, "pynvml", gpu)
    assert _gpus() == ("H200, 141 GiB",)

    def without_driver():
        raise RuntimeError

    gpu.nvmlInit = without_driver
    assert _gpus() == ()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert _gpus() == ()


def test_bad_profiles_are_refused():
    one = MachineProfile.nominal()
    for change in ({"cores": 0}, {"memory_bytes": 0}, {"contention": 0.5}):
        with pytest.raises(QDreamerError):
            dataclasses.replace(one, **change)


def test_probes_of_gpus_need_every_coefficient_of_theirs_and_no_cpu_takes_over(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    probes = gpu_probes()
    together = sum(probe.counts for probe in probes)
    wanted = {name for name in PLACE if name.startswith("gpu_")}
    assert {name for name, place in PLACE.items() if together[place]} == wanted
    # Each is told apart from the others: no two of them are paid in proportion.
    rows = np.array([probe.counts[[PLACE[name] for name in sorted(wanted)]] for probe in probes])
    assert np.linalg.matrix_rank(rows / rows.max(axis=0)) == len(wanted)
    with pytest.raises(GpuError, match="CuPy"):
        probes[0].call()


@pytest.mark.parametrize("mode", ["exact", "sampled", "chain"])
def test_every_coefficient_of_a_mode_is_needed_by_some_probe(mode):
    """Else calibration would leave it as it was, and nobody would see it."""
    probes, mine = {
        "exact": (exact_probes(2) + join_probes(), ("gram_", "sweep_", "join", "wake", "general")),
        "sampled": (shot_probes(1) + round_probes(), ("shot_", "fold", "tally", "weigh", "glue")),
        "chain": (chain_probes(), ("chain",)),
    }[mode]
    together = sum(probe.counts for probe in probes)
    wanted = {name for name in PLACE if name.startswith(mine)}
    assert wanted
    missing = {name for name in wanted if not together[PLACE[name]]}
    assert missing <= {"shot_huge"}  # states that large would take too long


def test_a_budget_in_which_nothing_can_be_timed_is_refused():
    with pytest.raises(QDreamerError, match="nothing could be measured"):
        MachineProfile.measure(budget_s=1e-9)
