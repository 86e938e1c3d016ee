"""The compiled twins of the plain kernels, by Numba, for the CPU: one file for each family.

Each takes what its twin takes. A twin that has no loop for a layout returns None.
"""
