"""The rows as other libraries express them: one file a library, and the workloads that they share.

A workload (`workloads`) says what a row computes, with functions that every peer has under one
name; a peer (`jax`, `mygrad`, `autograd`, `tinygrad`) says how that library is used at its best:
what is compiled, what stays in place, how an optimizer is written. Numbers are compared with
minigrad's before anything is timed.
"""
