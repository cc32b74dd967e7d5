"""The cut finder: cheap labels for the ends of two-qubit blocks, with a proof where there is one.

It sees plain arrays only, and must not know Qiskit or how plans are run.
"""
