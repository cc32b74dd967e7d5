"""Cut search over plain arrays; no Qiskit here."""
