"""L2: one unit of work, bound late."""
