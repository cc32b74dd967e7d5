"""qiskit-addon-cutting's forms of a plan, to and fro: the only place that knows the addon.

It must not run anything.
"""
