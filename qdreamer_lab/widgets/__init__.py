"""What a person sees: figures of plans, predictions and runs, and the controls around them."""
