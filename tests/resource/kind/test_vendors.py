"""Devices of vendors: what is missing is said, with what to set, and no credential is shown."""

import importlib.util

import pytest
import qiskit_ibm_runtime
from qiskit_ibm_runtime.exceptions import IBMNotAuthorizedError
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import DescriptionError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.resource.kind import vendors
from pilot_kernel.resource.kind.devices import factory_of
from pilot_kernel.resource.kind.vendors import open_ibm, showable, without_secrets

TOKEN = "s3cr3t-t0ken"


@pytest.fixture
def service(monkeypatch):
    """Have this be what IBM's service does when it is asked."""
    monkeypatch.setenv("QISKIT_IBM_TOKEN", TOKEN)
    backend_named.cache_clear()

    def be(kind):
        monkeypatch.setattr(qiskit_ibm_runtime, "QiskitRuntimeService", kind)

    yield be
    backend_named.cache_clear()


def test_without_an_account_it_is_said_what_to_set(monkeypatch, tmp_path):
    from qiskit_ibm_runtime.accounts import management

    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_CHANNEL", "QISKIT_IBM_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        management, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(tmp_path / "none.json")
    )
    with pytest.raises(DescriptionError, match=r"'ibm_torino' needs an account.*QISKIT_IBM_TOKEN"):
        open_ibm("ibm_torino")


def _refusing(error):
    class Service:
        def __init__(self):
            raise error

    return Service


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (IBMNotAuthorizedError(f"token {TOKEN} is wrong"), "needs an account"),
        (
            ConnectionError(f"no route with {TOKEN}"),
            r"cannot be reached: ConnectionError: .*\*\*\*",
        ),
    ],
)
def test_no_credential_is_shown(service, error, complaint):
    service(_refusing(error))
    with pytest.raises(DescriptionError, match=complaint) as caught:
        backend_named("ibm_torino")
    shown = caught.value
    while shown is not None:
        assert TOKEN not in str(shown)
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)


def test_a_device_that_the_account_does_not_have(service):
    class Service:
        def backend(self, name):
            raise LookupError(f"no {name} for {TOKEN}")

    service(Service)
    with pytest.raises(DescriptionError, match=r"does not give it: LookupError: no ibm_x for \*"):
        open_ibm("ibm_x")


def test_a_device_is_opened_by_its_name(service):
    class Service:
        def backend(self, name):
            assert name == "ibm_manila"
            return FakeManilaV2()

    service(Service)
    assert backend_named("ibm_manila").num_qubits == 5


def test_texts_lose_the_values_of_variables_that_are_secrets_and_no_others(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abcdefgh")
    monkeypatch.setenv("SOME_PASSWORD", "ab")  # so short that any text has it
    monkeypatch.setenv("HOME_OF_MINE", "elsewhere")
    assert without_secrets("abcdefgh is elsewhere, ab") == "*** is elsewhere, ab"


def test_one_secret_may_be_the_beginning_of_another(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "abcdefgh")
    monkeypatch.setenv("B_TOKEN", "abcdefgh-and-more")
    assert without_secrets("abcdefgh-and-more, abcdefgh") == "***, ***"


def test_what_requests_carry_is_left_out_too():
    told = "GET https://me:hush@host/x: 401 {'Authorization': 'Bearer eyJhbGciOi.x'}"
    assert without_secrets(told) == "GET https://***@host/x: 401 {'Authorization': 'Bearer ***"


def test_an_error_is_shown_as_a_cause_unless_anything_behind_it_has_a_secret(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "abcdefgh")

    def behind(text):
        try:
            try:
                raise ValueError(text)
            except ValueError as first:
                raise RuntimeError("on top") from first
        except RuntimeError as error:
            return error

    shown = behind("nothing")
    assert showable(shown) is shown
    assert showable(behind("with " + "abcd" + "efgh")) is None


@pytest.mark.parametrize(
    ("name", "package", "complaint"),
    [
        ("ibm_torino", "qiskit_ibm_runtime", r"pip install 'qdreamer-lab\[ibm\]'"),
        ("qrmi", "qrmi", r"pip install 'qdreamer-lab\[qrmi\]'"),
        ("qrmi/x", "qrmi", r"pip install 'qdreamer-lab\[qrmi\]'"),
    ],
)
def test_a_package_that_is_missing_is_named(monkeypatch, name, package, complaint):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        vendors.importlib.util,
        "find_spec",
        lambda asked, *rest: None if asked == package else find(asked, *rest),
    )
    with pytest.raises(DescriptionError, match=complaint):
        factory_of(name)
