"""The cost model: coefficients, what is believed of them, cases, and the makespan of tasks.

It must not know modes, circuits or sessions.
"""
