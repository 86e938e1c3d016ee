"""Transforms against torch.func on torch's operator database: `python -m tests.transforms NAME`."""
