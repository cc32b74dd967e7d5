"""Mini-app 6, a multistage pipeline: stages overlap as data become ready, on different pilots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Outcome
from qdreamer_lab.workflow.pipeline.images import Images, load_images
from qdreamer_lab.workflow.pipeline.stages import encode, execute, learn, preprocess, warm_up
from qdreamer_lab.workflow.steps.flow import run_flow
from qdreamer_lab.workflow.steps.store import default_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workflow.run import Run
    from qdreamer_lab.workflow.steps.step import Node

__all__ = ["Pipeline"]


@dataclass(frozen=True, kw_only=True)
class Pipeline(Motif):
    """Images of two digits: preprocessed, encoded as circuits, run with mitigation, learned.

    Attributes:
        images: How many images; a quarter of them is for judging.
        batch: Images in a task.
        qubits: Of a circuit; an image has two to their power pixels.
        layers: Of gates for an image.
        sweeps: How often all gates of a circuit are made better, one after the other.
        mitigate: Whether values are extrapolated to no noise.
        shots: Shots of each circuit; 0 asks for expectation values.
        overlap: Whether a stage may begin before the one before is over for all images.
        on: Where images are prepared and learned from.
        quantum: Where circuits run; None is the same place.
        reuse: Whether finished steps are kept in the store and taken from there.
    """

    name: ClassVar[str] = "pipeline"
    title: ClassVar[str] = "Multistage pipeline"
    grows: ClassVar[tuple[str, ...]] = ("images",)
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"images": 360, "qubits": 10, "layers": 8, "batch": 16}
    }

    images: int = 64
    batch: int = 8
    qubits: int = 8
    layers: int = 2
    sweeps: int = 8
    mitigate: bool = True
    shots: int = 0
    overlap: bool = True
    quantum: str | None = None
    reuse: bool = False

    def __post_init__(self) -> None:
        self.at_least(images=8, batch=1, qubits=2, layers=1, sweeps=0, shots=0, seed=0)
        if self.qubits > 12:
            raise MotifError(f"{self.name}: qubits={self.qubits}: 12 at most, 4,096 pixels")

    def places(self) -> tuple[str | None, ...]:
        """Where work goes: the two places."""
        return tuple(dict.fromkeys((self.on, self.on if self.quantum is None else self.quantum)))

    def load(self) -> None:
        """Loads scikit-learn, and the images for the first time."""
        load_images(self.images, self.seed)

    def warm_up(self) -> Callable[[], Any]:
        """Loads what the stages need."""
        return warm_up

    def work(self, run: Run) -> Outcome:
        """Build the graph and have it run."""
        with run.doing("classical"):
            found = load_images(self.images, self.seed)
            stages = self.stages(found)
        store = default_store() if self.reuse else None
        end, encodings = stages[-1][0], stages[1]
        done = run_flow(run, [end, *encodings], store=store)
        (accuracy, seen), *encoded = done.values
        overlaps = [overlap for batch in encoded for _, overlap in batch]
        with run.doing("classical"):
            baseline = found.baseline()
        notes = () if store is None else (done.text(),)
        return Outcome(
            values={
                "accuracy": accuracy,
                "accuracy on pixels": baseline,
                "mean overlap of circuits with images": float(np.mean(overlaps)),
                "least overlap": float(np.min(overlaps)),
            },
            notes=notes,
            data={"seen": seen, "images": found},
        )

    def stages(self, images: Images) -> list[list[Node]]:
        """The steps, stage by stage; the last is one that needs all others."""
        cuts = range(0, self.images, self.batch)
        quantum = self.on if self.quantum is None else self.quantum
        first = [
            preprocess.at(self.on)(images.pixels[at : at + self.batch], self.qubits) for at in cuts
        ]
        second = [encode.at(self.on)(each, self.layers, self.sweeps) for each in first]
        third = [
            execute.at(quantum)(each, self.qubits, self.mitigate, self.shots, self.seed + k)
            for k, each in enumerate(second)
        ]
        last = [learn.at(self.on)(third, images.labels, images.train)]
        if not self.overlap:
            for before, after in ((first, second), (second, third)):
                for node in after:
                    node.after(*before)
        return [first, second, third, last]
