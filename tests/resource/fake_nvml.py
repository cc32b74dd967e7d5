"""A stand-in for NVML's Python package: no machine that runs these tests has a GPU.

It is written into a folder as `pynvml.py`. What it sees is a JSON file beside it, which tests
change at any time: `cuda`, `driver`, `init` (an error number) and `gpus`, each with `uuid`, `name`,
`memory` and `error` (an error number, if it answers with one).
"""

import json
import os

SOURCE = """
import json, os
from types import SimpleNamespace


class NVMLError(Exception):
    def __init__(self, value):
        words = {15: "GPU is lost", 6: "Not Found", 18: "Version mismatch"}
        super().__init__(words.get(value, "?"))
        self.value = value


def _state():
    with open(os.path.join(os.path.dirname(__file__), "nvml.json")) as file:
        return json.load(file)


def nvmlInit():
    if number := _state().get("init"):
        raise NVMLError(number)


def nvmlShutdown():
    pass


def nvmlSystemGetCudaDriverVersion():
    return _state().get("cuda", 12040)


def nvmlSystemGetDriverVersion():
    return _state().get("driver", "550.54").encode()


def nvmlDeviceGetCount():
    return len(_state()["gpus"])


def _found(gpu):
    if number := gpu.get("error"):
        raise NVMLError(number)
    return gpu


def nvmlDeviceGetHandleByIndex(at):
    gpus = _state()["gpus"]
    if at >= len(gpus):
        raise NVMLError(2)
    return _found(gpus[at])


def nvmlDeviceGetHandleByUUID(uuid):
    for gpu in _state()["gpus"]:
        if gpu["uuid"] == uuid:
            return _found(gpu)
    raise NVMLError(6)


def nvmlDeviceGetUUID(gpu):
    return gpu["uuid"]


def nvmlDeviceGetName(gpu):
    return gpu["name"].encode()


def nvmlDeviceGetMemoryInfo(gpu):
    return SimpleNamespace(total=gpu["memory"])
"""

TWO = (
    {"uuid": "GPU-a", "name": "H100", "memory": 80 << 30},
    {"uuid": "GPU-b", "name": "A100", "memory": 40 << 30},
)


class FakeNvml:
    """The fake in a folder."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        (folder / "pynvml.py").write_text(SOURCE)
        self.folder = folder
        self.sees(TWO)

    def sees(self, gpus, **more):
        """Have it see these GPUs from now on."""
        there = self.folder / "nvml.json"
        draft = there.with_suffix(".draft")
        draft.write_text(json.dumps({"gpus": list(gpus), **more}))
        os.replace(draft, there)
