"""Getting work run: tasks to sessions, paced and watched, with its limits and progress.

It must not know plans, observables or modes.
"""
