"""How the agent reaches hosts of other people: through OpenSSH, or through a Dask cluster there.

It must not let anything listen on a network, nor send a key over a line that others can read.
"""
