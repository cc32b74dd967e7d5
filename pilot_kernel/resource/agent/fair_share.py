"""Who is served next when several workloads want workers: whoever has had the least of them."""

from dataclasses import dataclass

__all__ = ["FairShare"]

_REMEMBERED = 1_000


@dataclass
class _Account:
    """What one workload has had of workers.

    Attributes:
        used_s: Worker-seconds of what is over, on the common scale.
        running: How many of its tasks workers hold.
        since: The sum of when these were handed out.
        pledged_s: The sum of how long these are expected to take.
    """

    used_s: float
    running: int = 0
    since: float = 0.0
    pledged_s: float = 0.0

    def at(self, now: float) -> float:
        elapsed = self.running * now - self.since
        return self.used_s + max(self.pledged_s, elapsed)


class FairShare:
    """Start-time fair queueing over worker-seconds, with equal weights.

    Every workload has an account of what it has used. One that comes, or comes back, begins where
    the one that is being served stands: it neither waits for what others had before, nor is it
    owed for the time in which it wanted nothing. Within a workload the order is not decided here.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._handed_out: dict[str, tuple[str, float, float]] = {}
        self._now_served = 0.0  # where the account stood that was served last

    def begin(self, workload: str) -> None:
        """A workload that had nothing waiting has something."""
        account = self._accounts.get(workload)
        if account is None:
            self._accounts[workload] = _Account(self._now_served)
            self._forget()
        else:
            account.used_s = max(account.used_s, self._now_served)

    def position(self, workload: str, now: float) -> float:
        """Where a workload stands; the lowest is to be served next."""
        account = self._accounts.get(workload)
        return self._now_served if account is None else account.at(now)

    def hand_out(self, workload: str, task: str, expected_s: float, now: float) -> None:
        """A worker is given a task.

        Args:
            workload: Whose task it is.
            task: Its key.
            expected_s: How long it is expected to take.
            now: Seconds, of any clock.
        """
        self.take_back(task, 0.0)
        self._now_served = max(self._now_served, self.position(workload, now))
        account = self._accounts.setdefault(workload, _Account(self._now_served))
        account.running += 1
        account.since += now
        account.pledged_s += expected_s
        self._handed_out[task] = (workload, now, expected_s)

    def take_back(self, task: str, took_s: float) -> None:
        """A worker has done with a task, or has lost it.

        Args:
            task: Its key; one that was not handed out counts for nothing.
            took_s: How long the worker was at it.
        """
        handed_out = self._handed_out.pop(task, None)
        if handed_out is None:
            return
        workload, since, expected_s = handed_out
        account = self._accounts[workload]
        account.running -= 1
        account.since -= since
        account.pledged_s -= expected_s
        account.used_s += took_s
        if not account.running:  # so that no rounding error is carried on
            account.since = account.pledged_s = 0.0

    def handed_out_at(self, task: str, otherwise: float) -> float:
        """When a worker was given a task, or `otherwise`."""
        handed_out = self._handed_out.get(task)
        return otherwise if handed_out is None else handed_out[1]

    def _forget(self) -> None:
        """Forget the oldest accounts, if there are many: they would begin where others stand."""
        if len(self._accounts) <= 2 * _REMEMBERED:
            return
        latest = set(list(self._accounts)[-_REMEMBERED:])
        self._accounts = {
            workload: account
            for workload, account in self._accounts.items()
            if account.running or workload in latest
        }
