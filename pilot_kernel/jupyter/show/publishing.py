"""Sends outputs to the front end: new ones, and updates of those that are shown."""

from collections.abc import Callable
from typing import Any

from pilot_kernel.jupyter.worker.display_message import DisplayMessage

__all__ = ["LIVE_ATTRIBUTE", "Publish", "in_notebook", "publish_message", "publisher"]

Publish = Callable[[dict[str, str], str, bool], None]
"""Sends representations by MIME type: `publish(bundle, display_id, update)`."""

LIVE_ATTRIBUTE = "_pilot_kernel_live"
"""Where a shell holds what is live in it; its `publisher` reaches the front end from threads."""


def in_notebook(shell: Any) -> bool:
    """Whether outputs can be changed after they were shown."""
    return getattr(shell, "kernel", None) is not None


def publish_message(message: DisplayMessage) -> None:
    """Show, in the cell that runs now, what was displayed on a worker."""
    from IPython.core.interactiveshell import InteractiveShell

    display = InteractiveShell.instance().display_pub
    if message.clear:
        display.clear_output(wait=message.clear == "wait")
        return
    transient = {"display_id": message.display_id} if message.display_id else {}
    display.publish(
        data=dict(message.data),
        metadata=dict(message.metadata),
        transient=transient,
        update=message.update,
    )


def publisher() -> Publish:
    """A function that sends outputs through the shell that runs.

    Updates come from threads. They go to the front end itself, even while a cell captures outputs.
    """
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    lasting = getattr(shell, LIVE_ATTRIBUTE, None)

    def publish(bundle: dict[str, str], display_id: str, update: bool) -> None:
        to = lasting.publisher if lasting is not None and update else shell.display_pub
        to.publish(data=bundle, metadata={}, transient={"display_id": display_id}, update=update)

    return publish
