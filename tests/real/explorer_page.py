"""The cut explorer as a person handles it in a browser, for tests and benchmarks."""

CIRCUIT = """
import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp

circuit = efficient_su2(36, reps=2, entanglement="linear")
circuit = circuit.assign_parameters(np.random.default_rng(0).uniform(0, 6, circuit.num_parameters))
observables = SparsePauliOp.from_sparse_list([("ZZ", [k, k + 1], 1.0) for k in range(35)], 36)
"""


class Explorer:
    """The explorer on a page, and what a person does with it."""

    def __init__(self, page):
        self.page = page
        self.board = page.locator(".qd-board")
        self.status = page.locator(".qd-status")
        self.summary = page.locator(".qd-summary")

    def ready(self):
        """Wait until nothing is looked for and nothing runs."""
        self.page.wait_for_function(
            "() => !document.querySelector('.qd-status').classList.contains('qd-busy')"
            " && document.querySelectorAll('.qd-board .main-svg').length >= 8",
            timeout=120_000,
        )

    def shows_its_width(self):
        """Wait until everything is of the slider's width."""
        self.page.wait_for_function(
            "() => document.querySelector('.qd-summary').textContent.includes("
            "`≤ ${Math.round(document.querySelector('.qd-controls .noUi-handle').ariaValueNow)}"
            " qubits`)"
        )
        self.ready()

    def button(self, name):
        return self.page.locator(".qd-actions").get_by_role("button", name=name, exact=True)

    def run(self):
        """Run what is selected, also if it is predicted to take long."""
        self.button("Run").click()
        self.page.wait_for_function(
            "() => /^(Running|Done|Stop|The run|Not started)/"
            ".test(document.querySelector('.qd-status').textContent)"
        )
        if self.button("Run anyway").is_visible():
            self.button("Run anyway").click()

    def control(self, label):
        return self.page.locator(".qd-controls").get_by_label(label, exact=True)

    @property
    def width(self):
        return int(self.control("Fragment width").get_attribute("aria-valuenow").split(".")[0])

    def drag(self, *parts):
        """Drag the width through parts of its way, and let go."""
        handle = self.page.locator(".qd-controls .noUi-handle").first
        handle.scroll_into_view_if_needed()
        way = self.page.locator(".qd-controls .noUi-base").first.bounding_box()
        box = handle.bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] / 2, y)
        self.page.mouse.down()
        for part in parts:
            self.page.mouse.move(way["x"] + part * way["width"], y)
        self.page.mouse.up()

    def shot(self, path):
        self.page.locator(".qd-explorer").first.evaluate("node => node.scrollIntoView()")
        self.page.mouse.move(5, 5)
        self.page.screenshot(path=path)
