"""Tab behind a magic, as IPython's own completer answers it."""

import pytest
from IPython.core.completer import provisionalcompleter


def completed(shell, typed):
    with provisionalcompleter():
        return {each.text for each in shell.Completer.completions(typed, len(typed))}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%%qtask --sh", {"--shots"}),
        ("%%qtask --c", {"--cores", "--cut"}),
        ("%%ctask --nob", {"--noblock"}),
        ("%%qtask --cut ", {"auto"}),
        ("%%qtask --prefer ", {"time", "fidelity", "cost"}),
        ("%%qtask --mid-circuit y", {"yes"}),
        ("%%qtask --mitigation readout,tw", {"twirling"}),
        ("%%qtask --fallback q", {"qpu"}),
        ("%%qtask --fal", {"--fallback"}),
        ("%%ctask --fal", set()),
        ("%pilot sc", {"scale", "script"}),
        ("%pilot add sl", {"slurm://"}),
        ("%pilot start --in slu", {"slurm://"}),
        ("%qresult --ta", {"--task"}),
    ],
)
def test_options_and_words(shell, typed, offered):
    assert completed(shell, typed) == offered


def test_names_of_pilots_and_tasks(run, session):
    (local,) = [pilot.name for pilot in session.pilots]
    run("data = 5")
    run("%%ctask --name counted_words\n1")
    assert completed(run.shell, "%%qtask --on ") >= {"cpu", "gpu", "qpu", local}
    assert completed(run.shell, f"%%qtask --shots 5 --on cpu,{local[:2]}") == {local}
    assert completed(run.shell, f"%pilot drain {local[:2]}") == {local}
    assert completed(run.shell, "%qresult counted_w") == {"counted_words"}
    assert completed(run.shell, "%cancel counted_w") == {"counted_words"}
    run("%%ctask --name counted_words\n2")
    assert len(completed(run.shell, "%qresult counted_w")) == 3  # both keys, too
    assert "data" in completed(run.shell, "%%ctask -i ")


def test_the_cell_below_a_magic_is_python(run):
    run("counted = 5")
    assert "counted" in completed(run.shell, "%%ctask --name x\ncount")


def test_without_a_session_nothing_is_started(shell, session, monkeypatch):
    from pilot_kernel.jupyter.cell.notebook import Notebook

    monkeypatch.setattr(Notebook, "living_session", staticmethod(lambda: None))
    assert completed(shell, "%%qtask --on ") >= {"cpu", "gpu", "qpu"}
    assert completed(shell, "%qresult counted_w") == set()
