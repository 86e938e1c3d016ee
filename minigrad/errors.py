"""The exceptions that minigrad raises: torch's kinds, so that either library's `except` works."""


class ArgumentError(ValueError, RuntimeError):
    """An argument has a shape, size or value that the operation cannot take."""


class DtypeError(TypeError, ValueError, RuntimeError):
    """An argument has a dtype that the operation cannot take."""


class PositionError(IndexError, RuntimeError):
    """A position lies outside the dimension that it points into."""


class DeviceError(ValueError, RuntimeError):
    """Arguments live on different devices, or a device is not there."""


class GraphError(RuntimeError):
    """The recorded graph cannot be walked: freed, changed in place, or never recorded."""


class NoDerivativeError(GraphError, NotImplementedError):
    """A gradient was asked for by an argument for which no derivative is known."""
