"""What whoever holds a notebook or a script is told unasked: records of one logger.

A script sees them on its standard error, as all warnings that nobody handles. The notebook's front
door handles them, and shows them.
"""

import logging

__all__ = ["LOGGER", "tell"]

LOGGER = "pilot_kernel.notices"
"""The logger's name; its records have an attribute `topic`."""


def tell(topic: str, text: str) -> None:
    """Tell something.

    It is a warning, since nobody has asked for it and somebody should see it; nothing is raised,
    whatever becomes of it.

    Args:
        topic: What it is about; a later notice on the same topic takes the place of an earlier one.
        text: One sentence or two.
    """
    logging.getLogger(LOGGER).warning("%s", text, extra={"topic": topic})
