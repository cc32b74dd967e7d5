"""L3: one circuit becomes a plan, fragments, tasks and a value."""
