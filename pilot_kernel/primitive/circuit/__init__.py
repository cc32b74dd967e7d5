"""What a Qiskit circuit says: its gates by class, its conditions, its idle qubits, its OpenQASM.

It must not know PUBs, simulators or devices.
"""
