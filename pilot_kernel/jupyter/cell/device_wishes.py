"""What a `%%qtask` says of QPUs: which is to be taken, what if it fails, what of its errors."""

from dataclasses import dataclass

from pilot_kernel.errors import CellError

__all__ = ["NO_WISHES", "PREFERENCES", "DeviceWishes"]

PREFERENCES = ("time", "fidelity", "cost")
"""What decides between several QPUs, as `Session.run` and cutters take it."""


@dataclass(frozen=True)
class DeviceWishes:
    """Options about QPUs; `Session.run` and the cutter explain each.

    Attributes:
        prefer: What decides between several of them, of `PREFERENCES`.
        fallback: Kind of worker or pilot that steps in for what they cannot run; None for none.
        mitigation: What is done about their errors, in the cutter's words.
        mid_circuit: Whether they measure in the middle of circuits; None asks each.

    Raises:
        CellError: A cell cannot say all that it takes.
    """

    prefer: str = "time"
    fallback: str | None = None
    mitigation: tuple[str, ...] = ()
    mid_circuit: bool | None = None

    def __post_init__(self) -> None:
        if self.prefer == "cost":
            raise CellError(
                "--prefer cost needs prices, which a cell cannot state: use session.run(...) or a "
                "CutEstimator with prefer='cost' and terms="
            )

    def check_uncut(self) -> None:
        """Refuse what only cut circuits have.

        Raises:
            CellError: It names the option.
        """
        given = {"--mitigation": self.mitigation, "--mid-circuit": self.mid_circuit is not None}
        for name, value in given.items():
            if value:
                raise CellError(f"{name} is for the fragments of cut circuits: give --cut, too")


NO_WISHES = DeviceWishes()
