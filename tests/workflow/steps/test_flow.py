"""Graphs of steps on a pilot: values, what runs again and what does not, circles, failures."""

import threading
from concurrent.futures import CancelledError

import pytest
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from pilot_kernel.errors import PlacementError
from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.steps.flow import _keys, run_steps
from qdreamer_lab.workflow.steps.step import in_order, step
from qdreamer_lab.workflow.steps.store import Store


def note(folder, word):
    with open(f"{folder}/log", "a") as file:
        file.write(f"{word}\n")


def noted(folder):
    try:
        return (folder / "log").read_text().split()
    except OSError:
        return []


@step
def number(folder, value):
    note(folder, f"number{value}")
    return value


@step(retries=2)
def add(folder, numbers, *, weight=1):
    note(folder, "add")
    return weight * sum(numbers)


@step(keep=False)
def both(folder, first, pair):
    note(folder, "both")
    return [first, pair["right"], pair["left"]]


@step(retries=2)
def flaky(folder):
    note(folder, "flaky")
    if len(noted_here(folder)) < 3:
        raise OSError("not yet")
    return "came"


def noted_here(folder):
    with open(f"{folder}/log") as file:
        return file.read().split()


@step
def broken(folder, value):
    note(folder, "broken")
    raise ArithmeticError(f"no {value}")


def graph(folder, values=(1, 2, 3), weight=1):
    text = str(folder)
    numbers = [number(text, value) for value in values]
    total = add(text, numbers, weight=weight)
    return both(text, total, {"left": numbers[0], "right": (numbers[-1], 5)})


def test_results_feed_the_next(session, tmp_path):
    told = []
    done = run_steps(
        session, graph(tmp_path), progress=lambda *words: told.append(words), say=told.append
    )
    assert done.values == ([6, (3, 5), 1],)
    assert done.ran == {"number": 3, "add": 1, "both": 1}
    assert done.reused == {}
    assert sorted(told) == sorted(
        [("number", k, 3) for k in (1, 2, 3)] + [("add", 1, 1), ("both", 1, 1)]
    )


def test_what_is_kept_does_not_run_again(session, tmp_path):
    store = Store(tmp_path / "store")
    first = run_steps(session, graph(tmp_path), store=store)
    said = []
    again = run_steps(session, graph(tmp_path), store=Store(store.folder), say=said.append)
    assert again.values == first.values
    assert again.ran == {"both": 1}  # which is not to be kept
    assert again.reused == {"add": 1, "number": 2}  # number 2 is needed by nobody
    assert "1 of add" in said[0]
    assert noted(tmp_path).count("both") == 2
    changed = run_steps(session, graph(tmp_path, weight=3), store=store)
    assert changed.values == ([18, (3, 5), 1],)
    assert changed.ran == {"add": 1, "both": 1}
    more = run_steps(session, graph(tmp_path, (1, 2, 4)), store=store)
    assert more.values == ([7, (4, 5), 1],)
    assert more.ran == {"number": 1, "add": 1, "both": 1}


def test_the_order_of_inputs_counts(session, tmp_path):
    store, text = Store(tmp_path / "store"), str(tmp_path)
    one, two = number(text, 1), number(text, 2)

    @step
    def minus(left, right):
        return left - right

    assert run_steps(session, minus(one, two), store=store).values == (-1,)
    assert run_steps(session, minus(two, one), store=store).values == (1,)
    assert run_steps(session, minus(one, one), store=store).values == (0,)


class Devices:
    """A session as far as keys ask it."""

    def __init__(self, error):
        self.error = error

    def backend(self, on=None):
        if on == "several":
            raise PlacementError("several QPUs")
        noise = NoiseModel()
        noise.add_all_qubit_quantum_error(depolarizing_error(self.error, 1), ["x", "sx"])
        return AerSimulator(noise_model=noise) if on == "qpu" else None


def test_what_a_device_gave_is_that_devices_with_its_noise():
    def keys(on, error):
        node = number.at(on)("", 1)
        return _keys([node], Devices(error)).get(node)

    here = keys(None, 0.1)
    assert here == keys("cpu", 0.1) == keys("some pilot", 0.2)
    assert keys("qpu", 0.1) == keys("qpu", 0.1)
    assert len({here, keys("qpu", 0.1), keys("qpu", 0.2)}) == 3
    assert keys("several", 0.1) is None


def test_it_is_taken_up_where_it_broke(session, tmp_path):
    store, text = Store(tmp_path / "store"), str(tmp_path)
    one = number(text, 1)
    with pytest.raises(ArithmeticError, match="no 1"):
        run_steps(session, broken(text, one), store=store)
    assert "number: 0 ran, 1 reused" in run_steps(session, one, store=store).text()
    assert noted(tmp_path) == ["number1", "broken"]


def test_a_step_is_tried_again(session, tmp_path):
    assert run_steps(session, flaky(str(tmp_path))).values == ("came",)
    assert noted(tmp_path) == ["flaky"] * 3


def test_another_graph_is_not_resumed(session, tmp_path):
    store = Store(tmp_path / "store")
    with pytest.raises(StepError, match="there is no run 'mine' to be resumed"):
        run_steps(session, graph(tmp_path), store=store, name="mine", resume=True)
    run_steps(session, graph(tmp_path), store=store, name="mine")
    again = run_steps(session, graph(tmp_path), store=store, name="mine", resume=True)
    assert again.reused["add"] == 1
    with pytest.raises(StepError, match=r"add#0.kwargs.weight is 2, was 1"):
        run_steps(session, graph(tmp_path, weight=2), store=store, name="mine", resume=True)
    with pytest.raises(StepError, match="number#3 is new"):
        run_steps(session, graph(tmp_path, (1, 2, 3, 4)), store=store, name="mine", resume=True)
    with pytest.raises(StepError, match="pass the store and the name"):
        run_steps(session, graph(tmp_path), resume=True)


def test_circles_are_named():
    first, second = number("", 1), add("", [])
    third = both("", second, {"left": first, "right": first})
    second.after(third)
    with pytest.raises(
        StepError, match=r"wait for each other: (add -> both -> add|both -> add -> both)"
    ):
        in_order([third])


def test_steps_wait_for_what_they_do_not_take(session, tmp_path):
    text = str(tmp_path)
    first = number(text, 1)
    run_steps(session, add(text, [2]).after(first))
    assert noted(tmp_path) == ["number1", "add"]


def test_what_has_no_key_runs_every_time(session, tmp_path):
    store = Store(tmp_path / "store")

    @step
    def consumed(words):
        return str(words)

    node = consumed({"lock": re_made()})
    assert run_steps(session, node, store=store).ran == {"consumed": 1}
    assert run_steps(session, node, store=store).ran == {"consumed": 1}
    assert store.listed() == []


class Odd:
    """Something that can be sent, and does not tell what it is."""

    def __reduce_ex__(self, protocol):
        if protocol < 5:
            raise TypeError("only in the newest way")
        return Odd, ()


def re_made():
    return Odd()


def test_a_run_can_be_given_up(session, tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        run_steps(session, graph(tmp_path), stop=stop)


@pytest.mark.parametrize("retries", [-1, 1.5, True, "2"])
def test_tries_are_counted(retries):
    with pytest.raises(StepError, match="whole number"):
        step(retries=retries)


@pytest.mark.parametrize(
    "option", [{"kind": "foo"}, {"kind": None}, {"on": 5}, {"on": ""}, {"name": 5}, {"keep": "no"}]
)
def test_an_option_that_means_nothing_is_named(option):
    [(key, value)] = option.items()
    with pytest.raises(StepError, match=f"^{key}={value!r}: "):
        step(**option)


def test_a_step_is_made_of_a_function():
    with pytest.raises(StepError, match="made of a function"):
        step(3)
    with pytest.raises(StepError, match="made of a function"):
        step(add)
    assert add.function("/tmp", [1, 2], weight=2) == 6
