"""MPI tasks: one task starts ranks that talk to each other, on the host of the worker that it has.

It must not run before all is there that ranks need, nor leave a rank behind.
"""
