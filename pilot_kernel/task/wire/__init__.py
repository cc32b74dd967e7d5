"""The forms in which calls, values, results and news of tasks travel between all sides.

It must not start, wait for or end anything.
"""
