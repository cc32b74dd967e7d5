"""What a cut is and costs: labels on blocks, the cuts that follow, the search problem.

It must not search, and it knows neither the addon nor pictures.
"""
