"""Programs in the manner of well-known ones for torch: `main(torch)` gives the losses of each.

What is passed as `torch` may be either library. Weights and random numbers come from NumPy, so that
both begin alike.
"""
