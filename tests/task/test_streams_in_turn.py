"""A worker reads the pipes and the socket of a task process in the order in which it wrote."""

import asyncio
import os
import socket

import pytest

from pilot_kernel.task.wire.messages import Reader, send_text
from pilot_kernel.task.wire.pipes import abandoned, bytes_in_pipe
from pilot_kernel.task.worker.task_process import TaskProcess


class _Script:
    """Plays a task process that writes the next thing as soon as the last one was read.

    That is as early as it can come: between two looks of a worker that is in the middle of reading.
    """

    def __init__(self, lines):
        self.lines, self.told = list(lines), []
        self.length = sum(map(len, lines))

    async def play(self):
        process = TaskProcess(self.printed)
        ours, self.theirs = socket.socketpair()
        process._sock = process._own(ours)
        process._reader = Reader(ours)
        self.pipe = process._pipe("stdout")
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, process._read)
        self.act()
        async with asyncio.timeout(20):
            while sum(map(len, self.told)) < self.length:
                await asyncio.sleep(0.001)
        os.close(self.pipe)
        process.close()
        self.theirs.close()
        return self.told

    def printed(self, stream, text):
        self.told.append(text)
        if text.startswith("C"):
            self.act()

    def act(self):
        """What Python prints is sent without waiting; what C writes lies in the pipe until read."""
        while self.lines:
            line = self.lines.pop(0)
            if line.startswith("C"):
                os.write(self.pipe, line.encode())
                return
            send_text(self.theirs, "stdout", line)


@pytest.mark.parametrize(
    "lines",
    [
        ["C 1", "Python 2", "C 3", "Python 4", "Python 5", "C 6"],
        ["Python 1", "C 2", "C 3", "Python 4"],
    ],
)
def test_they_come_in_the_order_in_which_they_were_written(lines):
    told = "".join(asyncio.run(_Script(lines).play()))
    assert told == "".join(lines)


def test_a_pipe_says_what_is_in_it_and_when_nobody_is_left():
    reading, writing = os.pipe()
    assert (bytes_in_pipe(reading), abandoned(reading)) == (0, False)
    os.write(writing, b"abc")
    assert (bytes_in_pipe(reading), bytes_in_pipe(writing)) == (3, 3)
    os.close(writing)
    assert not abandoned(reading)
    os.read(reading, 3)
    assert abandoned(reading)
    os.close(reading)
