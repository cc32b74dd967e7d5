"""Q-Dreamer: what a way to run a circuit will cost, and which way is best."""
