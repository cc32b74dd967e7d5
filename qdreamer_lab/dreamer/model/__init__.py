"""The cost model: coefficients, the belief about them, and the makespan of tasks on workers.

Arithmetic on plain data; it must not know circuits or Qiskit.
"""
