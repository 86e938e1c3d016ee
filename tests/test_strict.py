"""Every primitive, and training, on the device that refuses what CuPy refuses, and on CuPy."""

from itertools import chain

import numpy
import pytest

import minigrad
from minigrad import nn
from minigrad.backend import backend_for, to_numpy
from minigrad.errors import DeviceError
from tests.samples import ROWS
from tests.samples.checks import arguments, gradients, outputs, ruled, same, to_device
from tests.samples.row import DTYPES, Sample, function_of, primitives
from tests.strict import StrictArray, strict, strict_device

PRIMITIVES = primitives()
# Names "cpu" on purpose; see test_a_tensor_moves_there_and_back.
NAMES = sorted(set(PRIMITIVES) & set(ROWS) - {"move"})
# A GPU adds in another order.
TOLERANCE = {"float64": 1e-9, "complex128": 1e-9, "float32": 1e-4, "complex64": 1e-4}


@pytest.fixture(params=["strict", "cuda"])
def place(request):
    if request.param == "strict":
        with strict_device() as name:
            yield name
        return
    try:
        backend_for("cuda")
    except DeviceError as error:
        pytest.skip(str(error))
    yield "cuda"


def there(sample, place):
    inputs = tuple(to_device(value, place) for value in sample.inputs)
    return Sample(inputs, {n: to_device(v, place) for n, v in sample.constants.items()})


def close(what, found, expected):
    tolerance = TOLERANCE.get(str(expected.dtype), 0)
    same(what, to_numpy(found), expected, tolerance, tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_forward_equals_numpys(name, place):
    op, row = PRIMITIVES[name], ROWS[name]
    for dtype in (DTYPES[kind][-1] for kind in row.kinds):
        for sample in row.samples(name, dtype):
            moved = there(sample, place)
            function = function_of(op)
            here = row.run(function, arguments(op, sample, False), sample.constants)
            away = row.run(function, arguments(op, moved, False), moved.constants)
            for expected, found in zip(outputs(here), outputs(away), strict=True):
                assert found.device.type == place
                close(name, found._array, expected._array)


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name].order])
def test_gradients_equal_numpys(name, place):
    op, row = PRIMITIVES[name], ROWS[name]
    for dtype in (DTYPES[kind][0] for kind in row.kinds if kind in "fc"):
        for sample in row.samples(name, dtype):
            if not ruled(op, sample):
                continue
            here = gradients(op, row, sample, row.order)
            away = gradients(op, row, there(sample, place), row.order)
            for expected, found in zip(chain(*here), chain(*away), strict=True):
                assert (expected is None) == (found is None)
                if expected is not None:
                    close(f"gradient of {name}", found, expected)


def perceptron():
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.0), nn.Linear(8, 3))


def convolutional():
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip


def recurrent():
    class Last(nn.Module):
        def __init__(self):
            self.layer = nn.LSTM(4, 5, 2, batch_first=True)
            self.out = nn.GRU(5, 3)

        def forward(self, x):
            return self.out(self.layer(x.reshape(12, 4, 4))[0])[0][:, -1]

    return Last()


def losses(make, optimizer, place):
    """The losses of six steps of training, from one seed."""
    minigrad.manual_seed(0)
    images = minigrad.randn(12, 16).to(place)
    labels = minigrad.arange(12).remainder(3).to(place)
    model = make().to(place)
    stepper = optimizer(model.parameters())
    found = []
    for _ in range(6):
        stepper.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        stepper.step()
        found.append(loss.item())
    return found


OPTIMIZERS = {
    "adam": lambda p: minigrad.optim.Adam(p, lr=0.02),
    "adamw": lambda p: minigrad.optim.AdamW(p, lr=0.02),
    "sgd": lambda p: minigrad.optim.SGD(p, lr=0.1, momentum=0.9),
    "rmsprop": lambda p: minigrad.optim.RMSprop(p, lr=0.01),
    "adagrad": lambda p: minigrad.optim.Adagrad(p, lr=0.05),
    "adadelta": lambda p: minigrad.optim.Adadelta(p),
    "adafactor": lambda p: minigrad.optim.Adafactor(p, lr=0.05),
    "adamax": lambda p: minigrad.optim.Adamax(p, lr=0.02),
    "asgd": lambda p: minigrad.optim.ASGD(p, lr=0.1, t0=2),
    "nadam": lambda p: minigrad.optim.NAdam(p, lr=0.02),
    "radam": lambda p: minigrad.optim.RAdam(p, lr=0.02),
    "rprop": lambda p: minigrad.optim.Rprop(p, lr=0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", [perceptron, convolutional, recurrent])
def test_training_is_the_same_everywhere(model, optimizer, place):
    here = losses(model, OPTIMIZERS[optimizer], "cpu")
    away = losses(model, OPTIMIZERS[optimizer], place)
    assert here[-1] < here[0]
    numpy.testing.assert_allclose(away, here, rtol=1e-3)


def test_a_tensor_moves_there_and_back(place):
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    y = (x.to(place) * 3).to("cpu")
    y.sum().backward()
    assert y.device == "cpu"
    assert x.grad.tolist() == [3.0, 3.0]


def test_two_devices_do_not_mix(place):
    x = minigrad.tensor([1.0, 2.0])
    with pytest.raises(DeviceError, match="'other' is on"):
        x + x.to(place)


def test_positions_out_of_bounds_are_refused_where_the_array_would_wrap(place):
    x = minigrad.tensor([1.0, 2.0, 3.0]).to(place)
    index = minigrad.tensor([0, 7]).to(place)
    with pytest.raises(IndexError):
        x[index]
    with pytest.raises(IndexError):
        x[index] = 0.0
    with pytest.raises((IndexError, RuntimeError)):
        x.gather(0, index)
    with pytest.raises((IndexError, RuntimeError)):
        x.index_select(0, index)
    with pytest.raises((IndexError, RuntimeError)):
        nn.functional.embedding(index, x.reshape(3, 1))


ONE = StrictArray(numpy.ones(3))
REFUSED = {
    "conversion": lambda: numpy.asarray(ONE),
    "operator with NumPy": lambda: ONE + numpy.ones(3),
    "reflected operator": lambda: numpy.ones(3) + ONE,
    "function of NumPy's": lambda: strict.exp(numpy.ones(3)),
    "NumPy's function": lambda: numpy.exp(ONE),
    "a list as an operand": lambda: strict.add(ONE, [1.0, 2.0, 3.0]),
    "assignment of NumPy's": lambda: ONE.__setitem__(0, numpy.ones(())),
    "a list as an index": lambda: ONE[[0, 1]],
    "a NumPy index": lambda: ONE[numpy.array([0])],
    "an object array": lambda: StrictArray(numpy.array([None])),
    "where= in a ufunc": lambda: strict.add(ONE, ONE, where=ONE > 0),
    "initial= in a reduction": lambda: ONE.max(initial=0.0),
    "an array of counts": lambda: ONE.repeat(StrictArray(numpy.array([1, 2, 3]))),
    "keys in a tuple": lambda: strict.lexsort((ONE, ONE)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_stand_in_refuses(what):
    with pytest.raises(TypeError):
        REFUSED[what]()


@pytest.mark.parametrize("name", ["put_along_axis", "errstate", "permute_dims", "acos"])
def test_the_stand_in_lacks_what_cupy_lacks(name):
    assert hasattr(numpy, name)
    assert not hasattr(strict, name)


def test_the_stand_in_has_no_scatter_of_its_own():
    assert not hasattr(strict.add, "at")


def test_the_stand_in_gives_arrays_where_numpy_gives_scalars():
    assert isinstance(ONE.sum(), StrictArray)
    assert isinstance(strict.max(ONE), StrictArray)
    assert isinstance(ONE[0], StrictArray)
    assert ONE[0].shape == ()


def test_the_stand_in_knows_views():
    array = StrictArray(numpy.zeros((2, 3)))
    view = array[0][1:]
    assert view.base is array
    view += 1
    assert array.tolist() == [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
