"""The operations as methods of Tensor, one file per family; each method is an explicit line."""
