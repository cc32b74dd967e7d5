"""Plans in files: JSON with a version, matrices byte for byte. It must not interpret a plan."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
from qdreamer_lab.workload.cut.cuts import Swaps
from qdreamer_lab.workload.cut.partition import Partition
from qdreamer_lab.workload.cut.widths import read_devices

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["load_partition", "save_partition"]

FORMAT = "qdreamer-lab cut plan"
VERSION = 1


def save_partition(plan: Partition, path: str | Path) -> None:
    """Write a plan to a file."""
    blocks = plan.blocks
    document = {
        "format": FORMAT,
        "version": VERSION,
        "num_qubits": blocks.num_qubits,
        "pairs": blocks.pairs.tolist(),
        "unitaries": _text(blocks.unitaries),
        "lone_qubits": list(blocks.lone),
        "lone_matrices": _text(np.array(list(blocks.lone.values()), dtype=np.complex128)),
        "sources": [list(source) for source in blocks.sources],
        "measured": list(blocks.measured),
        "merged": blocks.merged,
        "labels": plan.labels.tolist(),
        "lone_labels": plan.lone_labels.tolist(),
        "max_qubits": plan.max_qubits,
        "cost": plan.cost,
        "log2_lower_bound": plan.log2_lower_bound,
        "proven_optimal": plan.proven_optimal,
        "devices": plan.devices,
        "swaps": None if plan.swaps is None else asdict(plan.swaps),
    }
    Path(path).write_text(json.dumps(document) + "\n", encoding="utf-8")


def load_partition(path: str | Path) -> Partition:
    """Read a plan from a file.

    Raises:
        PlanError: If the file holds something else, is of another version, or is broken.
        OSError: If it cannot be read.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise PlanError(f"{path} is not a plan: it is not JSON ({error})") from error
    except RecursionError as error:
        raise PlanError(f"{path} is not a plan: its JSON is nested too deeply") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanError(f"{path} is JSON, but not a plan")
    version = document.get("version")
    if version != VERSION:
        raise PlanError(
            f"{path} is a plan of version {version!r}; this qdreamer-lab reads version {VERSION}"
        )
    try:
        return _partition(document)
    except KeyError as error:
        raise PlanError(f"{path} is broken: {error} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise PlanError(f"{path} is broken: {error}") from error


def _partition(document: dict[str, Any]) -> Partition:
    n = int(document["num_qubits"])
    pairs = np.array(document["pairs"], dtype=np.int64).reshape(-1, 2)
    if pairs.size and not (pairs.min() >= 0 and pairs.max() < n and np.all(np.diff(pairs) > 0)):
        raise ValueError("pairs must be two different qubits, the smaller first")
    lone = [int(qubit) for qubit in document["lone_qubits"]]
    qubits = sorted(lone + np.unique(pairs).tolist())
    if len(qubits) != n or qubits != list(range(n)):
        raise ValueError("the lone qubits are not those without blocks")
    matrices = _array(document["lone_matrices"], (len(lone), 2, 2))
    sources = tuple(tuple(map(int, source)) for source in document["sources"])
    if len(sources) != len(pairs):
        raise ValueError(f"{len(pairs)} blocks but {len(sources)} sources")
    blocks = BlockCircuit(
        num_qubits=n,
        pairs=pairs,
        unitaries=_array(document["unitaries"], (len(pairs), 4, 4)),
        lone=dict(zip(lone, matrices, strict=True)),
        sources=sources,
        measured=tuple(map(int, document["measured"])),
        merged=bool(document["merged"]),
    )
    bound = float(document["log2_lower_bound"])
    if not np.isfinite(bound):
        raise ValueError(f"log2_lower_bound must be a finite number, not {bound}")
    devices = document.get("devices")  # files written before there were devices have none
    swaps = document.get("swaps")  # likewise
    return Partition(
        blocks=blocks,
        labels=np.array(document["labels"], dtype=np.int64).reshape(-1, 2),
        lone_labels=np.array(document["lone_labels"], dtype=np.int64),
        max_qubits=int(document["max_qubits"]),
        cost=document["cost"],
        log2_lower_bound=bound,
        proven_optimal=bool(document["proven_optimal"]),
        devices=_devices(devices),
        swaps=None if swaps is None else _swaps(swaps),
    )


def _devices(widths: Any) -> tuple[int, ...] | None:
    """Widths of devices as they were written."""
    if widths is not None and not isinstance(widths, list):
        raise ValueError(f"devices must be a list, not {widths!r}")
    return None if widths is None else read_devices(widths)[1]


def _swaps(written: dict[str, Any]) -> Swaps:
    """What fragments need on a coupling map, as it was written."""
    each, price = tuple(map(int, written["each"])), float(written["price"])
    if min(each, default=0) < 0 or not (np.isfinite(price) and price >= 0):
        raise ValueError(f"swaps and their price must not be negative: {written}")
    return Swaps(each, price)


def _text(matrices: NDArray[np.complex128]) -> str:
    """The bytes of complex128 numbers, little-endian, in C order."""
    return base64.b64encode(matrices.astype("<c16").tobytes()).decode("ascii")


def _array(text: str, shape: tuple[int, ...]) -> NDArray[np.complex128]:
    flat = np.frombuffer(base64.b64decode(text, validate=True), dtype="<c16")
    out = flat.astype(np.complex128).reshape(shape)
    if not np.isfinite(out).all():
        raise ValueError("a matrix is not finite")
    return out
