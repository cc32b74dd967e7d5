"""What a machine can do: profiles measured, kept, and refined by what runs really took.

It must not rank or advise.
"""
