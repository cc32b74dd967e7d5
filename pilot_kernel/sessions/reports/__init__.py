"""What has happened in a session, from its event log and log files: figures, pictures, texts.

It must not change anything, and needs no living agent: a log that outlived its session will do.
"""
