"""What a device runs: fragments as circuits, transpiled once, with variants spliced in.

It must not decide how many shots are taken.
"""
