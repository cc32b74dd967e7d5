"""A pipeline of stages: images become circuits, circuits features, features a classifier.

Stages are steps, and overlap because their data allow it; nothing here must decide what runs when.
"""
