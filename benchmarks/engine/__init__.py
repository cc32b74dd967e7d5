"""Times whole circuits and single fragments against other people's state vector simulators.

It must not give a simulator cores, threads or preparation that another does not get.
"""
