"""Events as an agent writes them, for sessions that never were."""

HEAD = {"at": 100.0, "event": "log", "version": 1, "part": 1, "agent": "agent-1", "session": ""}


def event(at, kind, **facts):
    return {"at": 100.0 + at, "event": kind, **facts}


def pilot(at, name="p", resource="local://"):
    return event(at, "pilot-added", pilot=name, resource=resource, wanted=1)


def up(at, worker, pilot="p", kind="CPU", address=None, **more):
    offers = {kind: 1, f"pilot:{pilot}": 1, **more}
    where = address or f"tls://{worker}"
    return event(at, "worker-up", worker=worker, pilot=pilot, address=where, offers=offers)


def gone(at, worker, address=None):
    return event(at, "worker-gone", worker=worker, address=address or f"tls://{worker}", why="x")


def queued(at, task, **facts):
    return event(at, "task-queued", task=task, **facts)


def started(at, task, worker, pilot="p"):
    return event(at, "task-started", task=task, worker=worker, pilot=pilot)


def back(at, task, worker, pilot="p", deaths=1):
    return event(at, "task-sent-back", task=task, worker=worker, pilot=pilot, deaths=deaths)


def ended(begin, end, task, worker, taken=0.0, pilot="p", state="DONE", **facts):
    place = {} if worker is None else {"worker": worker, "pilot": pilot, "started": 100.0 + begin}
    told = {"task": task, "state": state, "queued": 100.0 + taken, **place, **facts}
    return event(end, "task-ended", **told)
