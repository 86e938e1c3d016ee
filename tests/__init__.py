"""The tests: one file per part of the package, and the tools they share."""
