"""L1: where work runs."""
