"""Windows under torch.signal.windows' names: weights that fade a piece of a signal in and out.

F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
Proceedings of the IEEE 66 (1), 1978. `sym` makes a window symmetric, for filters; otherwise it is
one period of a periodic one, for transforms.
"""

from __future__ import annotations

from typing import Any

from minigrad.absent import explaining
from minigrad.dtypes import as_dtype, get_default_dtype
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.creation import backend_at, made

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def made_of(operation: str, M: int, sym: bool, options: dict[str, Any], weights: Any) -> Any:
    """A window of M weights, `weights(xp, places, last)` of the places 0 to M - 1.

    `last` is where a period ends. Computed in double precision.
    """
    dtype = options["dtype"]
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype, operation)
    if M < 0:
        raise ArgumentError(
            f"{operation}(): argument 'M', the number of weights, cannot be below zero, got {M}"
        )
    if dtype.char not in "fd":
        raise DtypeError(
            f"{operation}(): argument 'dtype' must be float32 or float64, got {dtype.name}"
        )
    xp = backend_at(options["device"]).xp
    places = xp.arange(M, dtype="float64")
    found = places + 1 if M < 2 else weights(xp, places, M - 1 if sym else M)
    return made(found.astype(dtype), options["device"], options["requires_grad"])


def _cosines(a: Any) -> Any:
    def weights(xp: Any, places: Any, last: int) -> Any:
        angles = places * (2 * xp.pi / last)
        return sum((-1) ** k * weight * xp.cos(k * angles) for k, weight in enumerate(a))

    return weights


def general_cosine(
    M: int, *, a: Any, sym: bool = True, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """The sum of (-1)^k a[k] cos(2 pi k n / (M - 1)).

    >>> import minigrad
    >>> minigrad.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    operation = "signal.windows.general_cosine"
    if not isinstance(a, (list, tuple)) or not a:
        raise ArgumentError(
            f"{operation}(): argument 'a' must be a list of at least one coefficient, got {a!r}"
        )
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return made_of(operation, M, sym, options, _cosines(a))


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """alpha - (1 - alpha) cos(2 pi n / (M - 1))."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    a = [alpha, 1 - alpha]
    return made_of("signal.windows.general_hamming", M, sym, options, _cosines(a))


def hamming(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Hamming's window, 0.54 - 0.46 cos(2 pi n / (M - 1))."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return made_of("signal.windows.hamming", M, sym, options, _cosines([0.54, 0.46]))


def hann(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Hann's window, the square of a sine.

    >>> import minigrad
    >>> minigrad.signal.windows.hann(4, sym=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return made_of("signal.windows.hann", M, sym, options, _cosines([0.5, 0.5]))


def blackman(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Blackman's window, of three cosines."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return made_of("signal.windows.blackman", M, sym, options, _cosines([0.42, 0.5, 0.08]))


def nuttall(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Nuttall's window, of four cosines.

    A. Nuttall, "Some windows with very good sidelobe behavior", IEEE Transactions on Acoustics,
    Speech, and Signal Processing 29 (1), 1981.
    """
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    a = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return made_of("signal.windows.nuttall", M, sym, options, _cosines(a))


def bartlett(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Bartlett's window, a triangle."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def weights(xp: Any, places: Any, last: int) -> Any:
        return 1 - xp.abs(places * 2 / last - 1)

    return made_of("signal.windows.bartlett", M, sym, options, weights)


def cosine(
    M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Half a wave of a sine, sin(pi (n + 1/2) / M)."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def weights(xp: Any, places: Any, last: int) -> Any:
        return xp.sin(xp.pi / (last + 1) * (places + 0.5))

    return made_of("signal.windows.cosine", M, sym, options, weights)


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-|n - center| / tau), about the middle unless it is periodic and has a center."""
    operation = "signal.windows.exponential"
    if tau <= 0:
        raise ArgumentError(f"{operation}(): argument 'tau' must be positive, got {tau}")
    if sym and center is not None:
        raise ArgumentError(
            f"{operation}(): argument 'center' is {center}, but a symmetric window has its middle "
            f"for that; leave it out, or give sym=False"
        )
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def weights(xp: Any, places: Any, last: int) -> Any:
        return xp.exp(-xp.abs(places - (last / 2 if center is None else center)) / tau)

    return made_of(operation, M, sym, options, weights)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-(n - middle)^2 / (2 std^2))."""
    operation = "signal.windows.gaussian"
    if std <= 0:
        raise ArgumentError(f"{operation}(): argument 'std' must be positive, got {std}")
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def weights(xp: Any, places: Any, last: int) -> Any:
        return xp.exp(-(((places - last / 2) / std) ** 2) / 2)

    return made_of(operation, M, sym, options, weights)


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Kaiser's window, I0(beta sqrt(1 - (2 n / (M - 1) - 1)^2)) / I0(beta).

    J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974.
    """
    operation = "signal.windows.kaiser"
    if beta < 0:
        raise ArgumentError(f"{operation}(): argument 'beta' cannot be below zero, got {beta}")
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def weights(xp: Any, places: Any, last: int) -> Any:
        heights = xp.sqrt(xp.maximum(1 - (places * 2 / last - 1) ** 2, 0))
        return xp.i0(beta * heights) / xp.i0(xp.asarray(float(beta)))

    return made_of(operation, M, sym, options, weights)


__getattr__ = explaining(__name__)
