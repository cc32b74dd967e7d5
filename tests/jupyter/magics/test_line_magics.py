"""The line magics."""

import concurrent.futures

import pytest
from IPython.core.error import UsageError

from tests.conftest import wait_until


def test_cancel_by_name(run):
    task = run("%%ctask --noblock --name endless\nimport time\nwhile True: time.sleep(0.01)")
    wait_until(task.running)
    run("%cancel endless")
    assert "canceled: endless-" in run.output
    assert task.cancelled()
    run("%qresult endless")
    assert "was canceled" in str(run.error)
    assert run("%%ctask\n1") == 1


def test_an_error_in_the_background_is_kept_for_who_asks(run):
    task = run("%%ctask --noblock --name bad\nraise KeyError('x')")
    assert isinstance(task.exception(60), KeyError)
    run("%qresult bad")
    assert isinstance(run.error, KeyError)


def test_a_task_of_a_plain_submission_can_be_asked_for(run, session):
    task = session.submit(pow, 2, 10, name="power")
    concurrent.futures.wait([task])
    assert run("%qresult power") == 1024


def test_pilots_can_be_added_scaled_and_stopped(run):
    assert "mine" in repr(run("%pilot add local:// --cores 1 --name mine"))
    assert run("%%ctask --on mine\n1") == 1
    assert "/2" in repr(run("%pilot scale mine 2"))  # the second may be up, or not yet
    assert "adaptive, 1 to 2" in repr(run("%pilot scale mine 1:2"))
    run("%pilot drain mine")
    wait_until(lambda: "mine" not in repr(run("%pilot")))
    run("%pilot add local:// --cores 1 --name mine")
    assert run("%%ctask --on mine --cores 1 --memory 1MB --priority 3 --workload w\n1") == 1
    run("%pilot stop mine")
    assert "mine" not in repr(run("%pilot"))
    assert "this notebook's" in repr(run("%pilot list"))
    assert "<table" in run("%pilot")._repr_html_()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("start x", "%pilot start"),
        ("status x", "%pilot status"),
        ("list x", "%pilot list"),
        ("dashboard x", "%pilot dashboard"),
        ("add local:// --name 'half", "no closing quotation"),
        ("stop --name mine", "stop does not take --name"),
        ("stop --cores 0 --in slurm://", "stop does not take --cores, --in"),
        ("list --all", "list does not take --all"),
        ("add local:// --all", "add does not take --all"),
        ("add local:// --in slurm://", "add does not take --in"),
        ("scale local 99999999999", "10,000 workers at most"),
        ("scale local 8:1", "minimum=8 is more than maximum=1"),
        ("scale local 1:99999999999", "10,000 workers at most"),
    ],
)
def test_a_wrong_line_is_one_error_and_loses_nothing(run, session, line, complaint):
    pilots = [pilot.name for pilot in session.pilots]
    run(f"%pilot {line}")
    assert complaint in str(run.error)
    assert not session.closed
    assert [pilot.name for pilot in session.pilots] == pilots


def test_what_happened_and_the_logs_of_it(run, session):
    assert run("%%ctask --name reported\n1") == 1
    report = run("%pilot report")
    assert any(task.name == "reported" for task in report.tasks)
    assert "<svg" in report._repr_html_()
    ident = session._link.entry.id
    assert run(f"%pilot report {ident}").path == report.path
    run("%pilot report nonsense")
    assert "has no event log" in str(run.error)
    assert "agent" in [file.name for file in run("%pilot logs")]
    assert [file.name for file in run("%pilot logs local-0")] == ["local-0"]
    run("%pilot logs nobody")
    assert "no log files of 'nobody'" in str(run.error)
    run("%pilot logs a b")
    assert "logs [NAME]" in str(run.error)


@pytest.mark.parametrize(
    "options",
    [
        "%%ctask --timeout nan",
        "%%ctask --timeout -1",
        "%%ctask --limit inf",
        "%%ctask --retries -1",
        "%%ctask --progress-after soon",
        "%%qtask --seed -1",
        "%%qtask --shots 1e3",
        "%%qtask --precision nan",
    ],
)
def test_a_number_that_is_none_is_a_wrong_use_of_the_option(run, session, options):
    before = len(session.history())
    with pytest.raises(UsageError, match=rf"^argument --{options.split('--')[1].split()[0]}"):
        run.shell.run_cell_magic(options.split()[0][2:], options.split(maxsplit=1)[1], "1")
    assert len(session.history()) == before


def test_help_and_usage(run):
    run("%%qtask?")
    assert "--precision" in run.shell.magics_manager.magics["cell"]["qtask"].__doc__
    run("%pilot nonsense")
    run("%%ctask --timeout soon\n1")
    run("%%ctask -o not-a-name\n1")
    assert run("%%ctask\n1") == 1


def test_names_with_spaces_are_found_in_quotes(run):
    assert run("%%ctask --name 'two words'\n8") == 8
    assert run("%qresult 'two words'") == 8
    run("%%ctask -o a, b\na, b = 1, 2")
    assert run("a, b") == (1, 2)


def test_an_agent_s_job_is_shown_and_checked_before_anything_is_closed(run, session):
    keys = "--interface lo --cores 2 --memory 2GB"
    run(f"%pilot script --in slurm:// {keys} --walltime 10")
    assert "#SBATCH -J pilot-agent-ID-agent" in run.output
    assert "#SBATCH -t 00:10:00" in run.output
    run(f"%pilot script slurm:// --in slurm:// {keys}")
    assert "script --in URL" in str(run.error)
    run("%pilot start --in slurm:// --cores 2 --memory 2GB")
    assert "interface is missing" in str(run.error)
    run(f"%pilot start --in local:// {keys}")
    assert "or in a job of slurm://" in str(run.error)
    run("%pilot start --cores 2")
    assert "with --in URL only" in str(run.error)
    assert not session.closed
    assert session.place == session.waits_for == ""


def test_work_that_is_under_way_keeps_a_session_from_being_replaced(run, session, tmp_path):
    gate = tmp_path / "gate"
    task = session.submit(_wait_for, str(gate))
    run("%pilot start --in slurm:// --interface lo --cores 2 --memory 2GB")
    assert "unfinished tasks" in str(run.error)
    gate.touch()
    assert task.result(30) is None
    assert not session.closed


def _wait_for(path):
    import os
    import time

    while not os.path.exists(path):
        time.sleep(0.01)
