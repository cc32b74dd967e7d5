"""Circuit cutting, medium coupling: circuits too wide, cut as Q-Dreamer says and at given widths.

Predictions and runs are those of the floors below; nothing here must cut or simulate by itself.
"""
