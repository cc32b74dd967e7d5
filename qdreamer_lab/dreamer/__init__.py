"""Q-Dreamer: what a way to run a circuit will cost, before it runs, and which way is best."""
