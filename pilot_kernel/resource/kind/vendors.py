"""Devices of vendors, opened with the vendors' packages: IBM's by name, and QRMI's.

What is missing, a package or an account, is named with what to set; no credential is ever shown.
"""

import importlib.util
import os
import re
import traceback
from typing import Any

from pilot_kernel.errors import DescriptionError

__all__ = ["has_qrmi", "has_runtime", "open_ibm", "open_qrmi", "showable", "without_secrets"]

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_SENT = re.compile(r"(?<=://)[^/\s@]+(?=@)|(?<=Bearer )\S+", re.IGNORECASE)
"""What a request carries: a user with a password in an address, a token in a header."""

_SHORTEST = 6
"""Characters; what is shorter may occur in any text."""

_GIVEN = "QRMI_JOB_QPU_RESOURCES"
_GIVEN_BEFORE = "SLURM_JOB_QPU_RESOURCES"
_OF_IBM = ("ibm-", "qiskit-runtime", "direct-access")


def has_runtime() -> bool:
    """Whether qiskit-ibm-runtime is installed."""
    return importlib.util.find_spec("qiskit_ibm_runtime") is not None


def has_qrmi() -> bool:
    """Whether QRMI is installed."""
    return importlib.util.find_spec("qrmi") is not None


def without_secrets(text: str) -> str:
    """A text without the values of environment variables that are called tokens, keys or so.

    Passwords in addresses and tokens in headers of requests go as well, wherever they are from.
    """
    values = {value for name, value in os.environ.items() if _SECRET.search(name)}
    for value in sorted(values, key=len, reverse=True):  # one may be the beginning of another
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return _SENT.sub("***", text)


def showable(error: BaseException) -> BaseException | None:
    """What an error of ours may be raised from: an error, or None if its text has a credential.

    Notebooks show what an error came from, with all that it came from itself.
    """
    text = "".join(traceback.format_exception(error))
    return error if without_secrets(text) == text else None


def open_ibm(name: str) -> Any:
    """A QPU of IBM's, by its name there.

    Raises:
        DescriptionError: There is no account, or it has no such device.
    """
    from qiskit_ibm_runtime import QiskitRuntimeService
    from qiskit_ibm_runtime.exceptions import IBMAccountError, IBMNotAuthorizedError

    try:
        service = QiskitRuntimeService()
    except (IBMAccountError, IBMNotAuthorizedError, ValueError) as error:
        raise DescriptionError(
            f"QPU {name!r} needs an account at IBM Quantum, and none is set that is accepted "
            f"({type(error).__name__}): set QISKIT_IBM_TOKEN (and QISKIT_IBM_INSTANCE) where the "
            "session is started, or save one with QiskitRuntimeService.save_account(token=...)"
        ) from None  # the error before it may quote the token
    except Exception as error:  # noqa: BLE001 whatever it is, its text may quote a credential
        raise DescriptionError(
            f"QPU {name!r}: IBM Quantum cannot be reached: {without_secrets(_reason(error))}"
        ) from None
    try:
        return service.backend(name)
    except Exception as error:  # noqa: BLE001 whatever it is, its text may quote a credential
        raise DescriptionError(
            f"QPU {name!r}: IBM Quantum does not give it: {without_secrets(_reason(error))}"
        ) from None


def open_qrmi(name: str | None) -> Any:
    """A QPU that this batch job was given, as a backend; `resource` is QRMI's own object for it.

    Args:
        name: Which; without it, the only one.

    Raises:
        DescriptionError: The job was given none, not this one, several, or one that is offline.
    """
    from qrmi import get_job_qpu_resources_and_types
    from qrmi.primitives import QRMIService
    from qrmi.primitives.ibm import get_backend

    if _GIVEN not in os.environ and _GIVEN_BEFORE not in os.environ:
        raise DescriptionError(
            f"qpu://qrmi stands for the QPUs that a batch job was given, and {_GIVEN} is not set: "
            "run the session's agent in such a job, or ask for them with qpu=['NAME'] of a "
            "slurm:// pilot"
        )
    if told := os.environ.get("QRMI_PLUGIN_ERROR"):
        raise DescriptionError(f"this job was given no QPU: {without_secrets(told)}")
    names, types = get_job_qpu_resources_and_types()
    kinds = {each.strip(): kind.strip() for each, kind in zip(names, types, strict=True)}
    given = ", ".join(kinds) or "none"
    if name is None and len(kinds) != 1:
        raise DescriptionError(f"this job was given {given}: write qpu://qrmi/NAME")
    name = name or next(iter(kinds))
    if name not in kinds:
        raise DescriptionError(f"this job was not given QPU {name!r}, but {given}")
    if not kinds[name].startswith(_OF_IBM):
        raise DescriptionError(
            f"QPU {name!r} is a {kinds[name]}, and qpu://qrmi opens IBM's; write "
            "qpu://module:function with a function that returns a backend for it"
        )
    resource = QRMIService().resource(name)
    if resource is None:
        raise DescriptionError(f"QPU {name!r} is offline: QRMI cannot reach it now")
    backend = get_backend(resource)
    backend.resource = resource
    return backend


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {getattr(error, 'message', None) or error}"
