"""The GPUs of this machine, as NVIDIA's management library (NVML) knows them.

Without its Python package, `nvidia-ml-py` (the extra `gpu`), they are counted by their device
files, and nothing more is known. Nothing here uses a GPU.
"""

import contextlib
import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pilot_kernel.errors import DescriptionError

__all__ = [
    "METRIC",
    "Gpu",
    "GpuLostError",
    "check_count",
    "described",
    "look_at",
    "visible",
]

METRIC = "pilot_gpu"
"""Under which name heartbeats carry what a worker knows of its GPU: its `name` and `memory_bytes`,
what to know of its `driver`, and how it shows that it is gone (`trouble`)."""

_OLDEST_CUDA = (12, 0)
"""What libraries for GPUs are built for by now; an older driver does not load them."""

_LOST, _NOT_FOUND, _INVALID = 15, 6, 2  # NVML_ERROR_GPU_IS_LOST, …_NOT_FOUND, …_INVALID_ARGUMENT


class GpuLostError(Exception):
    """A GPU that was there is gone; the message says how that shows."""


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        uuid: Its id, unlike that of any other.
        name: Its kind.
        memory_bytes: Its memory.
        driver: What to know of its driver; empty if all is well.
    """

    uuid: str
    name: str
    memory_bytes: int
    driver: str = ""


@contextlib.contextmanager
def _nvml() -> Iterator[Any]:
    """NVML's Python package, up for as long as this is open; None where it is not installed."""
    try:
        import pynvml
    except ImportError:
        yield None
        return
    pynvml.nvmlInit()
    try:
        yield pynvml
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _files() -> list[str]:
    return sorted(glob.glob("/dev/nvidia[0-9]*"))


def _all() -> tuple[list[Gpu] | None, str]:
    """The GPUs, or None if only their files are known; and what is wrong, if anything is."""
    try:
        with _nvml() as nvml:
            if nvml is None:
                return None, ""
            driver = _old_driver(nvml)
            count = range(nvml.nvmlDeviceGetCount())
            return [_read(nvml, nvml.nvmlDeviceGetHandleByIndex(at), driver) for at in count], ""
    except Exception as error:  # noqa: BLE001 NVML's own, which are only known if it is there
        return None, f"their driver does not answer ({_text(error)})" if _files() else ""


def _read(nvml: Any, handle: Any, driver: str) -> Gpu:
    return Gpu(
        uuid=_plain(nvml.nvmlDeviceGetUUID(handle)),
        name=_plain(nvml.nvmlDeviceGetName(handle)),
        memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        driver=driver,
    )


def _plain(text: Any) -> str:
    return text.decode() if isinstance(text, bytes) else str(text)  # older versions give bytes


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _old_driver(nvml: Any) -> str:
    """Why what is built for today's CUDA does not run with this machine's driver; empty if it does.

    Args:
        nvml: NVML's Python package, initialized.
    """
    whole = int(nvml.nvmlSystemGetCudaDriverVersion())
    cuda = whole // 1000, whole % 1000 // 10
    if cuda >= _OLDEST_CUDA:
        return ""
    version = _plain(nvml.nvmlSystemGetDriverVersion())
    known, needed = (".".join(map(str, each)) for each in (cuda, _OLDEST_CUDA))
    return (
        f"driver {version} is too old: it knows CUDA {known}, and what is built for CUDA {needed} "
        "or later does not run with it; update the driver, or install packages for that CUDA"
    )


def check_count(asked: int) -> None:
    """Refuse to bring up workers with GPUs that this machine has not got, or cannot use.

    Args:
        asked: GPUs, one for each worker.

    Raises:
        DescriptionError: There are fewer, or their driver does not answer.
    """
    gpus, wrong = _all()
    there = len(_files()) if gpus is None else len(gpus)
    if asked and wrong:
        raise DescriptionError(f"gpus_per_node={asked}: this machine has GPUs, but {wrong}")
    if asked > there:
        raise DescriptionError(f"gpus_per_node={asked}, but this machine shows {there} GPUs")


def visible(number: int) -> dict[str, str]:
    """The variables that leave a worker of this machine one GPU, by its id if that is known.

    Numbers shift when a GPU falls out, and CUDA counts the fastest first if it is not told to count
    as NVML does.
    """
    gpus, _ = _all()
    name = str(number) if gpus is None or number >= len(gpus) else gpus[number].uuid
    return {"CUDA_VISIBLE_DEVICES": name, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def look_at(which: str, seen: Gpu | None = None) -> Gpu | None:
    """One GPU as it is now; None if nothing can be known of it.

    Args:
        which: Its number or id, as `CUDA_VISIBLE_DEVICES` has it.
        seen: The same one when it was looked at before.

    Raises:
        GpuLostError: It is gone.
    """
    name = which if seen is None else seen.uuid
    try:
        with _nvml() as nvml:
            if nvml is None:
                return None
            if name.isdecimal():
                handle = nvml.nvmlDeviceGetHandleByIndex(int(name))
            else:
                handle = nvml.nvmlDeviceGetHandleByUUID(name)
            return _read(nvml, handle, _old_driver(nvml))
    except Exception as error:  # noqa: BLE001 as above
        # A number that is unknown may be one among those that a batch system lets be seen.
        gone = (_LOST,) if name.isdecimal() else (_LOST, _NOT_FOUND, _INVALID)
        if seen is not None or getattr(error, "value", None) in gone:
            raise GpuLostError(_text(error)) from None
        return None


def described(told: Mapping[str, Any]) -> str:
    """What a worker has told of its GPU, in words."""
    size = f"{told['memory_bytes'] / 2**30:.0f} GiB" if told["memory_bytes"] else ""
    return ", ".join(filter(None, [told["name"], size]))
