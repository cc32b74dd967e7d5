"""What a Qiskit circuit says: its gates by class, its conditions, its idle qubits, its OpenQASM.

Must not know PUBs, simulators or devices.
"""
