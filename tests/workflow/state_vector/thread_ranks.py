"""Threads that play MPI ranks: what of mpi4py's communicator a state over ranks needs."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

PATIENCE_S = 120


class ThreadComm:
    """One rank's communicator; all of them share the boxes in which messages lie."""

    def __init__(self, rank, boxes, meeting, gathered):
        self.rank, self.boxes, self.meeting, self.gathered = rank, boxes, meeting, gathered
        self.sent = []

    def Get_rank(self):  # noqa: N802 as mpi4py calls it
        return self.rank

    def Get_size(self):  # noqa: N802
        return len(self.gathered)

    def Sendrecv(self, mine, dest, sendtag, theirs, source, recvtag):  # noqa: N802
        assert mine.flags.c_contiguous
        assert theirs.flags.c_contiguous
        assert dest != self.rank
        self.sent.append((dest, mine.nbytes))
        self.boxes[self.rank, dest].put(mine.copy())
        got = self.boxes[source, self.rank].get(timeout=PATIENCE_S)
        assert got.shape == theirs.shape
        theirs[...] = got

    def allgather(self, value):
        self.gathered[self.rank] = value
        self.meeting.wait(PATIENCE_S)
        found = list(self.gathered)
        self.meeting.wait(PATIENCE_S)
        return found

    def allreduce(self, value):
        first, *others = self.allgather(value)
        for other in others:
            first = first + other
        return first

    def gather(self, value):
        found = self.allgather(value)
        return None if self.rank else found


def in_ranks(ranks, fn, *args):
    """Call `fn(comm, *args)` in so many threads; what each returned, and their communicators."""
    boxes = {(a, b): queue.Queue() for a in range(ranks) for b in range(ranks)}
    meeting, gathered = threading.Barrier(ranks), [None] * ranks
    comms = [ThreadComm(rank, boxes, meeting, gathered) for rank in range(ranks)]
    with ThreadPoolExecutor(ranks) as pool:
        futures = [pool.submit(fn, comm, *args) for comm in comms]
        found = [future.result(PATIENCE_S) for future in futures]
    assert all(box.empty() for box in boxes.values())
    return found, comms
