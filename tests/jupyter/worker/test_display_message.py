"""What is displayed, as text in the output of a task."""

import base64

from pilot_kernel.jupyter.worker.display_message import (
    DisplayMessage,
    decode,
    encode,
    latest,
)
from pilot_kernel.task.ledger import Ledger


def test_the_agent_keeps_the_end_of_an_output_by_its_size():
    ledger = Ledger()
    for at in range(20):
        ledger._keep_output("key", [("display", str(at) * 10**5)])
    assert sum(len(text) for _, text in ledger.task_output("key")) <= 2 * 10**6
    assert ledger.task_output("key")[-1][1].startswith("1919")


def test_chunks_survive_the_way():
    data = {"image/png": b"\x00\xff", "application/json": {"a": [1.5, None]}, "text/plain": "ü"}
    sent = decode(encode(DisplayMessage(data, {"image/png": {"width": 3}}, "place", update=True)))
    assert base64.b64decode(sent.data["image/png"]) == b"\x00\xff"
    assert sent.data["application/json"] == {"a": [1.5, None]}
    assert (sent.metadata, sent.display_id, sent.update) == (
        {"image/png": {"width": 3}},
        "place",
        True,
    )
    assert latest(
        [DisplayMessage({"a": 1}), DisplayMessage(clear="now"), DisplayMessage({"b": 1})]
    ) == [DisplayMessage({"b": 1})]
