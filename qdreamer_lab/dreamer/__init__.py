"""Q-Dreamer: what a way to run a circuit will cost before it runs, and which way is best.

It must not plan cuts or run fragments by itself: both are done by `workload`.
"""
