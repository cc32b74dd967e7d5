"""README's moving picture: the explorer in JupyterLab while its width is dragged and a plan is run.

    python -m tests.real.moving_picture [FILE]      # by default notebooks/pictures/explorer.webp

Every frame is what Chromium shows of the real widget. Look at it before it is committed.
"""

import io
import sys
from pathlib import Path

from PIL import Image

from tests.real.explorer_page import Explorer
from tests.real.lab import missing
from tests.real.screenshots import FOLDER, explorer_page

SIZE = {"width": 1440, "height": 1080}
SCALE = 2 / 3
"""Pictures are 960 pixels wide."""

WAY = (0.53, 0.59, 0.65, 0.59, 0.53, 0.47, 0.41, 0.35, 0.29, 0.24, 0.18, 0.24, 0.295)
"""Where the slider is dragged to, as parts of its way: at last to 12 qubits, which is run."""

STEP_MS, LOOK_MS, END_MS = 450, 1_500, 3_500
QUALITY = 60
MOST_BYTES = 900_000


def main(path):
    """Make the picture."""
    if what := missing():
        sys.exit(what)
    with explorer_page(SIZE, SCALE) as (_, page):
        frames = list(_frames(Explorer(page)))
    pictures, times = zip(*frames, strict=True)
    how = {"duration": list(times), "loop": 0, "quality": QUALITY, "method": 6}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **how)
    size = path.stat().st_size
    print(f"{len(frames)} frames, {sum(times) / 1e3:.1f} s, {size / 1e3:.0f} kB: {path}")
    assert size < MOST_BYTES, "show less, or lower the quality"


def _frames(explorer):
    """Pictures, and how long each is shown."""
    page = explorer.page

    def shot(shown_ms):
        picture = Image.open(io.BytesIO(page.screenshot()))
        return picture.convert("RGB"), shown_ms

    explorer.ready()
    page.locator(".qd-explorer").first.evaluate(
        "node => { node.style.scrollMarginTop = '8px'; node.scrollIntoView(); }"
    )
    yield shot(LOOK_MS)
    handle = page.locator(".qd-controls .noUi-handle").first.bounding_box()
    way = page.locator(".qd-controls .noUi-base").first.bounding_box()
    height = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] / 2, height)
    page.mouse.down()
    for part in WAY:
        page.mouse.move(way["x"] + part * way["width"], height)
        explorer.shows_its_width()
        yield shot(STEP_MS)
    page.mouse.up()
    explorer.ready()
    yield shot(LOOK_MS)
    explorer.button("Run").click()
    page.wait_for_function(
        "() => document.querySelector('.qd-numbers').textContent.includes('Measured time')",
        timeout=120_000,
    )
    explorer.ready()
    yield shot(END_MS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "explorer.webp")
