"""What a file that cannot be loaded raises."""

__all__ = ["CheckpointError"]


class CheckpointError(RuntimeError):
    """A file cannot be loaded: damaged, cut short, of another format, or asking for code."""
