"""Steps: functions whose results feed the next, run as tasks, kept on disk by what went into them.

What runs when and where is the session's affair; nothing here must schedule.
"""
