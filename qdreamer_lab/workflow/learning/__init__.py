"""Quantum machine learning, data parallel: a kernel and a variational classifier in mini-batches.

Circuits go to workers, decisions to scikit-learn; nothing here must simulate or fit by itself.
"""
