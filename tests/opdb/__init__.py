"""PyTorch's own operator database, run against this library: `python -m tests.opdb --help`."""
