"""Words that a stranger need not know, explained where they stand. It decides nothing."""

from __future__ import annotations

__all__ = ["PHASES", "explained"]

PHASES = {
    "plan": "planning",
    "lower": "lowering",
    "transpile": "transpiling",
    "dispatch": "dispatch",
    "execute": "execution",
    "transfer": "transfer",
    "contract": "reconstruction",
}
"""What phases of a run are called where people read of them, in their order."""

_MEANINGS = (
    (
        "fewest operations",
        "Fewest operations: cuts are chosen so that simulating the fragments takes as few as "
        "possible, whatever they would cost in shots.",
    ),
    (
        "joint cuts",
        "Joint cuts: cuts that are made together, which takes fewer shots than each by itself; "
        "with communication, devices tell each other what they measured.",
    ),
    (
        "in this process",
        "In this process: the notebook's own Python computes it; handing tasks to workers would "
        "take longer.",
    ),
    (
        "matrix product state",
        "Matrix product state: the whole circuit in a compressed form, without cuts; fast where "
        "little is entangled.",
    ),
    ("stabilizer", "Stabilizer state: Clifford circuits of any width, without cuts."),
    (
        "sampling overhead",
        "Sampling overhead: how many times the shots of the uncut circuit a cut one takes; exact "
        "mode takes no shots and does not pay it.",
    ),
)


def explained(text: str) -> str:
    """What the uncommon words in a text mean, a sentence each; empty if there are none."""
    said = text.lower()
    return " ".join(meaning for word, meaning in _MEANINGS if word in said)
