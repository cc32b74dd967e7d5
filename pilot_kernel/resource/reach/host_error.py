"""The error for a machine that cannot be reached, or cannot be used.

It stays inside the agent, which shows its words in the pilot's note or raises them as an error of
ours when a pilot is added.
"""

__all__ = ["HostError"]


class HostError(Exception):
    """A host cannot be reached, or cannot be used.

    If another try may help, the start that met it goes on trying.

    Args:
        words: What is wrong and what to do.
        final: Whether another try would end in the same way.

    Attributes:
        final: The same.
    """

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final
