"""The GPU backend: CuPy, loaded when a CUDA device is first asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from minigrad.backend.device import Backend, device
from minigrad.errors import DeviceError

_INSTALL = (
    "install CuPy for your driver: pip install 'minigrad-engine[cuda12]' (CUDA 12) or "
    "pip install 'minigrad-engine[cuda13]' (CUDA 13); or use device='cpu'"
)


def _load() -> Any:
    try:
        import cupy
    except ImportError as error:
        missing = "device 'cuda' needs CuPy, which is not installed"
        raise DeviceError(f"{missing}; {_INSTALL}") from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(
            f"device 'cuda' needs an NVIDIA GPU and its driver; CuPy {cupy.__version__} says: "
            f"{error}; use device='cpu'"
        ) from error
    if count == 0:
        raise DeviceError("device 'cuda' needs an NVIDIA GPU; none was found; use device='cpu'")
    return cupy


class _Graph:
    """A CUDA graph with the memory that its work was captured in."""

    def __init__(self, cuda: Any, index: int, body: Callable[[], None]) -> None:
        self._cuda = cuda
        self._pool = cuda.MemoryPool()
        self._last: Any = None
        with cuda.Device(index):
            cuda.get_current_stream().synchronize()
            stream = cuda.Stream(non_blocking=True)
            with cuda.using_allocator(self._pool.malloc), stream:
                stream.begin_capture()
                try:
                    body()
                except BaseException:
                    # The stream must leave its mode; what was captured is let go.
                    with contextlib.suppress(RuntimeError):
                        stream.end_capture()
                    raise
                self._graph = stream.end_capture()

    def launch(self) -> None:
        """Do the work after all that waits in the current stream."""
        stream = self._cuda.get_current_stream()
        if self._last is not None and self._last != stream:
            # Its memory is in use until the launch before is done.
            self._last.synchronize()
        self._last = stream
        self._graph.launch(stream)


class CupyBackend(Backend):
    """Arrays in the memory of an NVIDIA GPU."""

    name = "cuda"
    no_graphs = None
    # CuPy refuses to call cuBLAS while a stream is captured.
    captures_products = False

    def __init__(self) -> None:
        self.xp = _load()
        self.array_type = self.xp.ndarray
        self.count = self.xp.cuda.runtime.getDeviceCount()

    def device_of(self, array: Any) -> device:
        return device("cuda", array.device.id)

    def _check(self, place: device) -> int:
        index = place.index or 0
        if index >= self.count:
            raise DeviceError(
                f"device '{place}' is not there: this machine has {self.count} CUDA device(s), "
                f"'cuda:0' to 'cuda:{self.count - 1}'"
            )
        return index

    def from_numpy(self, array: Any, place: device) -> Any:
        with self.xp.cuda.Device(self._check(place)):
            return self.xp.asarray(array)

    def to_numpy(self, array: Any) -> Any:
        return self.xp.asnumpy(array)

    def move(self, array: Any, place: device) -> Any:
        with self.xp.cuda.Device(self._check(place)):
            return self.xp.asarray(array)

    def as_strided(
        self, array: Any, size: tuple[int, ...], stride: tuple[int, ...], start: int
    ) -> Any:
        # An array made at an address would not know whose memory it shares.
        seen = array[start:]
        steps = tuple(n * array.itemsize for n in stride)
        seen._set_shape_and_strides(size, steps, True, True)
        return seen

    def scatter_add(self, array: Any, index: Any, values: Any) -> None:
        self.xp.add.at(array, index, values)

    def special(self, name: str) -> Any:
        from cupyx.scipy import special

        return getattr(special, name)

    def capture(self, place: device, body: Callable[[], None]) -> Callable[[], None]:
        return _Graph(self.xp.cuda, place.index or 0, body).launch

    def synchronize(self) -> None:
        self.xp.cuda.get_current_stream().synchronize()
