"""Q-Dreamer: cut quantum circuits that are too wide, and know what it will cost."""

__version__ = "0.1.0"
