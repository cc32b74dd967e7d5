"""Plans, predictions and runs as plotly figures: pure functions, from descriptions to pictures.

They must not know widgets, nor need a network to be seen.
"""

from qdreamer_lab.widgets.figures.circuit import circuit
from qdreamer_lab.widgets.figures.coupling import coupling
from qdreamer_lab.widgets.figures.drawing import drawing
from qdreamer_lab.widgets.figures.fragments import fragments
from qdreamer_lab.widgets.figures.pareto import pareto
from qdreamer_lab.widgets.figures.timeline import timeline
from qdreamer_lab.widgets.figures.worker_times import worker_times

__all__ = ["circuit", "coupling", "drawing", "fragments", "pareto", "timeline", "worker_times"]
