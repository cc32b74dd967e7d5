"""Variational algorithms: problems, gradients by shifted parameters, starts in parallel, journals.

It must not know sessions but where points are evaluated, so that the same loop runs in process.
"""
