"""Measurements of minigrad against torch: `python -m benchmarks` runs them all.

Each workload is written once, as a function of the library module, and is timed in separate
processes that take turns. `docs/benchmarks.md` says how, and holds the last table.
"""
