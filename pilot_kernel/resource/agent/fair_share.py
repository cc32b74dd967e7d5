"""Who is served next when several workloads want workers: whoever has had the least of them."""

from dataclasses import dataclass

__all__ = ["FairShare"]

_REMEMBERED = 1_000


@dataclass
class _Account:
    """What one workload has had of workers.

    Attributes:
        used_s: Worker-seconds of what is over, on the common scale.
        held: How many of its tasks workers hold.
        running: How many of these were begun at once; others wait behind one.
        since: The sum of when these were begun.
        pledged_s: The sum of how long all that workers hold is expected to take.
        wants: Whether it has anything waiting.
    """

    used_s: float
    held: int = 0
    running: int = 0
    since: float = 0.0
    pledged_s: float = 0.0
    wants: bool = False

    def at(self, now: float) -> float:
        elapsed = self.running * now - self.since
        return self.used_s + max(self.pledged_s, elapsed)


class FairShare:
    """Fair queueing over worker-seconds, with equal weights.

    Every workload has an account of what it has used. One that comes, or comes back, begins where
    the one stands that has had the least of those that are there: it neither waits for what others
    had before, nor is it owed for the time in which it wanted nothing. Within a workload the order
    is not decided here.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._handed_out: dict[str, tuple[str, float, float, bool]] = {}
        self._highest = 0.0  # what any has used

    def begin(self, workload: str, now: float) -> None:
        """A workload that had nothing waiting has something.

        Args:
            workload: Its name.
            now: Seconds, of any clock.
        """
        there = [each.at(now) for each in self._accounts.values() if each.wants or each.held]
        start = min(there, default=self._highest)
        account = self._accounts.get(workload)
        if account is None:
            account = self._accounts[workload] = _Account(start)
            self._forget()
        elif not account.held:
            account.used_s = max(account.used_s, start)
        account.wants = True

    def end(self, workload: str) -> None:
        """A workload has nothing waiting any more."""
        if workload in self._accounts:
            self._accounts[workload].wants = False

    def position(self, workload: str, now: float) -> float:
        """Where a workload stands; the lowest is to be served next."""
        account = self._accounts.get(workload)
        return self._highest if account is None else account.at(now)

    def hand_out(
        self, workload: str, task: str, expected_s: float, now: float, *, ahead: bool = False
    ) -> None:
        """A worker is given a task.

        Args:
            workload: Whose task it is.
            task: Its key.
            expected_s: How long it is expected to take.
            now: Seconds, of any clock.
            ahead: Whether it waits behind another there, and takes nobody's time yet.
        """
        self.take_back(task, 0.0)
        account = self._accounts.setdefault(workload, _Account(self._highest))
        account.held += 1
        account.pledged_s += expected_s
        if not ahead:
            account.running += 1
            account.since += now
        self._handed_out[task] = (workload, now, expected_s, ahead)

    def take_back(self, task: str, took_s: float) -> None:
        """A worker has done with a task, or has lost it.

        Args:
            task: Its key; one that was not handed out counts for nothing.
            took_s: How long the worker was at it.
        """
        handed_out = self._handed_out.pop(task, None)
        if handed_out is None:
            return
        workload, since, expected_s, ahead = handed_out
        account = self._accounts[workload]
        account.held -= 1
        account.pledged_s -= expected_s
        account.used_s += took_s
        if not ahead:
            account.running -= 1
            account.since -= since
        if not account.held:  # so that no rounding error is carried on
            account.since = account.pledged_s = 0.0
        self._highest = max(self._highest, account.used_s)

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
            if account.held or account.wants or workload in latest
        }
