"""The Dask cluster that a URL names: every form right, or refused before it is connected."""

import json

import pytest

from pilot_kernel import PilotDescription
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.reach.dask_place import is_loopback, place


@pytest.fixture
def files(tmp_path):
    """TLS files as a URL names them, and a function that writes a scheduler file."""
    names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
    for name in names:
        (tmp_path / name).touch()

    def scheduler_file(text):
        path = tmp_path / "scheduler.json"
        path.write_text(text)
        return path

    return "&".join(f"{name}={tmp_path / name}" for name in names), scheduler_file


def test_addresses_are_read(files):
    tls, scheduler_file = files
    assert place("dask://127.0.0.1:8786").address == "tcp://127.0.0.1:8786"
    assert place(f"dask://node:8786?{tls}").address == "tls://node:8786"
    path = scheduler_file(json.dumps({"address": "tls://10.0.0.1:8786"}))
    assert place(f"dask://?scheduler_file={path}").address == "tls://10.0.0.1:8786"


def test_loopback_is_known():
    assert is_loopback("tcp://127.0.0.1:1")
    assert is_loopback("tls://[::1]:1")
    assert is_loopback("tls://localhost:1")
    assert not is_loopback("tls://10.0.0.1:1")
    assert not is_loopback("tls://127evil.org:1")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("dask://", "an address, or a scheduler_file"),
        ("dask://node", "'node' is no host and port"),
        ("dask://node:x", "no host and port"),
        ("dask://node:99999", "no host and port"),
        ("dask://me@node:8786", "write dask://host:8786"),
        ("dask://node:8786/x", "write dask://host:8786"),
        ("dask://node:8786?colour=red", "a Dask cluster has no 'colour'"),
        ("dask://node:8786?tls_ca_file=/no/file", "tls_ca_file='/no/file': there is no such"),
        ("dask://node:8786", "is not encrypted, and the session's credentials"),
        ("dask://?scheduler_file=/no/file", "scheduler_file='/no/file' cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(url, complaint):
    with pytest.raises(DescriptionError, match=complaint):
        by_scheme.check_description(PilotDescription(resource=url))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"address": "inproc://x"}', "its address is 'inproc://x'"),
        ('{"address": "tcp://10.0.0.1:8786"}', "is not encrypted"),
    ],
)
def test_a_scheduler_file_that_cannot_be_is_refused(files, text, complaint):
    path = files[1](text)
    with pytest.raises(DescriptionError, match=complaint):
        place(f"dask://?scheduler_file={path}")


def test_other_machines_need_a_network_interface(files):
    described = PilotDescription(resource=f"dask://node:8786?{files[0]}")
    with pytest.raises(DescriptionError, match="interface is missing"):
        by_scheme.check_description(described)
    by_scheme.check_description(
        PilotDescription(resource=f"dask://node:8786?{files[0]}", interface="lo")
    )
