"""Pieces of wires, the graph that joins them, and what labels of pieces cost.

It must not search, and knows costs only as numbers that add up edge by edge.
"""
