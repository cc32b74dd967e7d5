"""Circuit execution: many circuits, or one over many points, that know nothing of each other.

It hands circuits to pilots and counts; it must not simulate anything itself.
"""
