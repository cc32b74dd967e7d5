"""What `%pilot add` and `%pilot script` say of a pilot, as keys of its description."""

import argparse
import re
from typing import Any

__all__ = ["memory_bytes", "names", "pilot_keys", "unquoted"]

_KEYS = {
    "name": "name",
    "cores": "cores_per_node",
    "nodes": "number_of_nodes",
    "gpus": "gpus_per_node",
    "cores_per_worker": "cores_per_worker",
    "memory": "memory_per_node_bytes",
    "queue": "queue",
    "walltime": "walltime",
    "project": "project",
    "interface": "interface",
    "directory": "working_directory",
    "lines": "scheduler_script_commands",
    "start_within": "start_within_s",
    "qpu": "qpu",
    "tags": "tags",
}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?([kKMGTP]?)(i?)B?")
_POWER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def memory_bytes(text: str) -> int:
    """Bytes, from text such as `4GB`, `3.5 GiB` or `4000000000`."""
    found = _SIZE.fullmatch(unquoted(text))
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, such as 4GB or 500MiB")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWER[prefix.upper()])


def names(text: str) -> tuple[str, ...]:
    """Names, from text such as `a,b`."""
    return tuple(name for name in unquoted(text).split(",") if name)


def unquoted(text: str) -> str:
    """A word without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] in ("'", '"') else text


def pilot_keys(args: Any) -> dict[str, Any]:
    """The keys of a description that were given as options."""
    given = {key: getattr(args, option) for option, key in _KEYS.items()}
    return {key: value for key, value in given.items() if value is not None}
