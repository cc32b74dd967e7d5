"""The forms in which calls, values, results and news of tasks travel between all sides.

Must not start, wait for or end anything.
"""
