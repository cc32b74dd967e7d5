"""The workflow floor: recurring patterns of quantum-classical coupling, as small real applications.

They do their work through sessions and the floors below; they must not schedule tasks themselves.
"""
