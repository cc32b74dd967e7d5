"""What was measured on a machine: reports of motifs by size and workers; plain data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from qdreamer_lab.dreamer.report_text import text_table
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.characterise.larger import Simulated
from qdreamer_lab.workflow.report import MotifReport

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Measured", "Portrait", "Scaling"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One motif, run once or the best of several times.

    Attributes:
        motif: Its name.
        size: How many times the work of its preset it did.
        workers: How many workers there were.
        report: What it told; None if it could not run.
        failure: Why it could not.
    """

    motif: str
    size: int
    workers: int
    report: MotifReport | None = None
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How a motif's wall time changes with workers.

    Attributes:
        motif: Its name.
        workers: How many there were, the fewest first.
        wall_s: What it took on each.
        efficiency: Against the fewest: 1 where n times the workers do the same work in the n-th
            part of the time (strong), or n times the work in the same time (weak).
    """

    motif: str
    workers: tuple[int, ...]
    wall_s: tuple[float, ...]
    efficiency: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A machine as motifs see it.

    Attributes:
        machine: What it is: names and sizes, by what they are of.
        measured: All runs.
        simulated: Scaling to more workers than there are.
        not_simulated: What has no such curve, or not both, and why.
    """

    machine: Mapping[str, str]
    measured: tuple[Measured, ...]
    simulated: tuple[Simulated, ...] = ()
    not_simulated: tuple[str, ...] = ()

    def motifs(self) -> list[str]:
        """The motifs that were run, in order."""
        return list(dict.fromkeys(one.motif for one in self.measured))

    def by_motif(self) -> list[Measured]:
        """All runs, those of a motif together."""
        order = self.motifs()
        return sorted(self.measured, key=lambda one: order.index(one.motif))

    def strong(self, motif: str) -> Scaling | None:
        """Wall times of the same work; None if there is but one."""
        return self._scaling(motif, lambda one: one.size == 1, weak=False)

    def weak(self, motif: str) -> Scaling | None:
        """Wall times of work in proportion to the workers; None if there is but one."""
        return self._scaling(motif, lambda one: one.size == one.workers, weak=True)

    def _scaling(self, motif: str, chosen: Any, *, weak: bool) -> Scaling | None:
        found = {
            one.workers: one.report.spent.wall_s
            for one in self.measured
            if one.motif == motif and one.report is not None and chosen(one)
        }
        if len(found) < 2:
            return None
        workers = tuple(sorted(found))
        first = workers[0]
        walls = tuple(found[count] for count in workers)
        gains = [1.0 if weak else first / count for count in workers]
        efficiency = tuple(gain * walls[0] / wall for gain, wall in zip(gains, walls, strict=True))
        return Scaling(motif=motif, workers=workers, wall_s=walls, efficiency=efficiency)

    def rows(self) -> list[dict[str, Any]]:
        """A row of metrics for each run that there is a report of."""
        return [
            {"motif": one.motif, "size": one.size, "workers": one.workers, **one.report.metrics}
            for one in self.by_motif()
            if one.report is not None
        ]

    def text(self) -> str:
        """All of it as plain text."""
        lines = [", ".join(f"{key}: {value}" for key, value in self.machine.items()), ""]
        lines += [text_table(*self.table()), ""]
        if scaling := self.scaling_table():
            lines += [text_table(*scaling), ""]
        lines += [curve.text() for curve in self.simulated]
        lines += [f"not simulated: {why}" for why in self.not_simulated]
        return "\n".join([*lines, *self.failures()])

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """What each run took and what that went to: a head, and a row for each run."""
        parts = ("quantum", "classical", "communication", "waiting", "overhead")
        rows: list[tuple[str, ...]] = []
        for row in self.rows():
            wall = row["wall_s"] or 1.0
            shares = tuple(f"{100 * row[f'{part}_s'] / wall:.0f} %" for part in parts)
            rates = (f"{row['messages_per_s']:.4g}", f"{row['bytes_per_s'] / 1e3:.4g}")
            where = (row["motif"], str(row["size"]), str(row["workers"]))
            rows.append((*where, f"{wall:.3g}", *shares, *rates))
        return ("motif", "size", "workers", "wall s", *parts, "messages/s", "kB/s"), rows

    def scaling_table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]] | None:
        """Efficiency by workers; None if nothing was run on different numbers of them."""
        found = [
            (motif, kind, curve)
            for motif in self.motifs()
            for kind, curve in (("strong", self.strong(motif)), ("weak", self.weak(motif)))
            if curve is not None
        ]
        counts = sorted({count for _, _, curve in found for count in curve.workers})
        rows = []
        for motif, kind, curve in found:
            known = dict(zip(curve.workers, curve.efficiency, strict=True))
            told = (f"{known[count]:.2f}" if count in known else "" for count in counts)
            rows.append((motif, kind, *told))
        head = ("motif", "scaling", *(f"efficiency on {count}" for count in counts))
        return (head, rows) if rows else None

    def failures(self) -> list[str]:
        """What could not run, and why, a line each."""
        return [
            f"{one.motif}, {one.size}x on {one.workers}: not run: {one.failure}"
            for one in self.measured
            if one.failure
        ]

    def to_json(self) -> str:
        """As JSON that `from_json` reads."""
        measured = [
            {
                **{key: getattr(one, key) for key in ("motif", "size", "workers", "failure")},
                "report": None if one.report is None else json.loads(one.report.to_json()),
            }
            for one in self.measured
        ]
        simulated = [asdict(curve) for curve in self.simulated]
        return json.dumps(
            {
                "machine": dict(self.machine),
                "measured": measured,
                "simulated": simulated,
                "not_simulated": self.not_simulated,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A portrait from the text that `to_json` made.

        Raises:
            MotifError: It is not that of a portrait.
        """
        try:
            plain = json.loads(text)
            measured = tuple(
                Measured(**{**one, "report": _report(one["report"])}) for one in plain["measured"]
            )
            simulated = tuple(map(_simulated, plain["simulated"]))
            return cls(
                machine=dict(plain["machine"]),
                measured=measured,
                simulated=simulated,
                not_simulated=tuple(plain.get("not_simulated", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MotifError(f"not the portrait of a machine: {error}") from None


def _report(plain: dict[str, Any] | None) -> MotifReport | None:
    return None if plain is None else MotifReport.from_json(json.dumps(plain))


def _simulated(plain: dict[str, Any]) -> Simulated:
    points = {key: tuple(plain[key]) for key in ("workers", "wall_s")}
    by_count = {
        key: {int(count): wall for count, wall in plain.get(key, {}).items()}
        for key in ("measured_s", "shared_s")
    }
    return Simulated(**{**plain, **points, **by_count})
