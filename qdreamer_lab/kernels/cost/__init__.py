"""What a plan costs under each cost model, from labels of block endpoints.

It must not search, and knows nothing of pieces.
"""
