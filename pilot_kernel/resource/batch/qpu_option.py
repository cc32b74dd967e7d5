"""How SLURM is asked for QPUs: by QRMI's plugin, or as generic resources that a site counts."""

import functools
import shutil
import subprocess
from collections.abc import Sequence

__all__ = ["qpu_directives"]

_OPTION = "--qpu"
_GRES = "--gres="
_PATIENCE_S = 10.0


def qpu_directives(names: Sequence[str], directives: Sequence[str]) -> list[str]:
    """Add to a job's directives what asks for QPUs.

    Where `sbatch` has the plugin's option, that is `--qpu=` with the names; the plugin puts what it
    takes to use them into the job's environment, which tasks inherit. Elsewhere QPUs are counted:
    `--gres=qpu:N`. There may be only one `--gres`. Where there is no `sbatch`, the plugin is
    assumed.

    Args:
        names: The QPUs.
        directives: The other ones.
    """
    if _has_plugin():
        return [*directives, f"{_OPTION}={','.join(names)}"]
    others = [line for line in directives if not line.startswith(_GRES)]
    counted = [line.removeprefix(_GRES) for line in directives if line.startswith(_GRES)]
    return [*others, _GRES + ",".join([*counted, f"qpu:{len(names)}"])]


@functools.cache
def _has_plugin() -> bool:
    path = shutil.which("sbatch")
    if path is None:
        return True
    try:
        told = subprocess.run(  # noqa: S603 the system's own program
            [path, "--help"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return _OPTION in told.stdout
