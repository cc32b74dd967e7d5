"""A pilot behind your notebook: workers that hold resources, and tasks bound to them late."""
