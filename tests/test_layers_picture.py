"""The picture of the layers in README: every box is a room that exists, and says so."""

import re
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "notebooks" / "pictures" / "layers.svg"
LAYERS = [
    "qdreamer_lab/workflow",
    "qdreamer_lab/workload",
    "pilot_kernel/task",
    "pilot_kernel/resource",
]
SVG = "{http://www.w3.org/2000/svg}"


def test_each_box_is_a_room_that_exists():
    groups = list(ElementTree.parse(PICTURE).iter(f"{SVG}g"))
    boxes = {each.get("data-room"): [t.text for t in each.iter(f"{SVG}text")] for each in groups}
    assert len(boxes) == len(groups) > len(LAYERS)
    for room, texts in boxes.items():
        assert (ROOT / room / "__init__.py").is_file(), room
        parent, _, name = room.rpartition("/")
        assert (name if parent in boxes else room) in texts  # what is read is what was looked up
    assert [room for room in boxes if room in LAYERS] == LAYERS  # from the top down
    assert {room.rpartition("/")[0] for room in boxes} <= {*LAYERS, "qdreamer_lab", "pilot_kernel"}


def test_every_motif_is_in_it():
    source = (ROOT / "qdreamer_lab/workflow/registry.py").read_text()
    rooms = set(re.findall(r'"qdreamer_lab\.workflow\.(\w+)\.app:', source))
    drawn = {each.get("data-room") for each in ElementTree.parse(PICTURE).iter(f"{SVG}g")}
    assert {f"qdreamer_lab/workflow/{room}" for room in rooms} <= drawn
    assert len(rooms) == 6


def test_readme_shows_it_once():
    assert (ROOT / "README.md").read_text().count("](notebooks/pictures/layers.svg)") == 1
