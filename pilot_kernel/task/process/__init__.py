"""The task process: forked by a nursery, it calls the functions of tasks and sends what they write.

It must not know Dask.
"""
