"""What a live output shows in tests, and what it has sent."""

from pilot_kernel.jupyter.show.live_output import Snapshot


def looks(*contents):
    """A look function that gives these one after the other, the last one for ever."""
    left = list(contents)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def content(essence, detail=0, over=False):
    """A snapshot that says what it is made of."""
    return Snapshot(f"<b>{essence} {detail}</b>", f"{essence} {detail}", essence, detail, over)


class Sent(list):
    """What was published, as (text, is an update)."""

    def __init__(self):
        super().__init__()
        self.id = None

    def __call__(self, bundle, display_id, update):
        self.append((bundle["text/plain"], update))
        self.id = display_id
