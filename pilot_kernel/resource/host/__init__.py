"""What runs on another host: a supervisor with the host's nursery and workers, told what to do.

It must not outlive its line to the agent, nor leave a process or file behind.
"""
