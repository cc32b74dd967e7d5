"""How a circuit is split: labels on its blocks, the cuts and fragments that follow, their cost.

It must not search, and it knows neither the addon nor pictures.
"""
