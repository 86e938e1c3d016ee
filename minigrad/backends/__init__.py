"""torch.backends: switches of libraries that minigrad does not use; setting one does nothing."""

from minigrad.backends import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
