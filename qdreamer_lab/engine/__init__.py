"""The simulation engine: state vectors of small circuits at the speed of the machine.

It must not know what a fragment is cut from, what a plan is, or any circuit library.
"""
