"""What a graph keeps for its gradient, operation by operation, is no more than torch keeps."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minigrad
from minigrad import kernels, mutation, nn
from minigrad.nn import functional as F


def arrays_in(value):
    """The arrays in tuples and lists, whatever their nesting."""
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in arrays_in(part)]
    if hasattr(value, "dtype") and hasattr(value, "nbytes"):
        return [getattr(value, "_array", value)]
    return []


def kept_bytes(out, known):
    """The bytes of the buffers that the graph of a tensor holds, but for those of known tensors."""
    held = {id(mutation.owner(tensor._array)) for tensor in known}
    found = {}
    seen, waiting = set(), [out._node]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for parent, _, kept, _ in node.edges or ():
            waiting.append(parent)
            for array in arrays_in(kept):
                buffer = mutation.owner(array)
                if id(buffer) not in held:
                    found[id(buffer)] = buffer.nbytes
    return sum(found.values())


def torch_bytes(torch, run, known):
    """The same for torch, from what it hands to be saved."""
    held = {tensor.untyped_storage().data_ptr() for tensor in known}
    found = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            found[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = run()
    assert out.requires_grad
    return sum(size for size, _ in found.values())


IMAGE, ROWS = (8, 16, 32, 32), (64, 512)


def attention(lib, x):
    parts = x.reshape(2, 4, 512, 32)
    return lib.nn.functional.scaled_dot_product_attention(parts, parts, parts, is_causal=True)


def classes(lib, x):
    target = lib.tensor(np.arange(ROWS[0]) % ROWS[1])
    return lib.nn.functional.cross_entropy(x, target)


def of(name, *args, **kwargs):
    """A function of `nn.functional`."""
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *args, **kwargs)


def on(name, *args):
    """A method of tensors."""
    return lambda lib, x: getattr(x, name)(*args)


# The input's shape, the operation, and how many times the input's bytes may be kept over torch's.
CASES = {
    "relu": (ROWS, on("relu"), 0),
    "leaky relu": (ROWS, of("leaky_relu"), 0),
    "gelu": (ROWS, of("gelu"), 0),
    "silu": (ROWS, of("silu"), 0),
    "elu": (ROWS, of("elu"), 0),
    "softplus": (ROWS, of("softplus"), 0),
    "tanh": (ROWS, on("tanh"), 0),
    "sigmoid": (ROWS, on("sigmoid"), 0),
    "exp": (ROWS, on("exp"), 0),
    "square": (ROWS, on("square"), 0),
    "sum": (ROWS, on("sum"), 0),
    "mean": (ROWS, on("mean", 1), 0),
    "transposed": (ROWS, lambda lib, x: x.t().reshape(512, 64).t() + 1, 0),
    "scaled": (ROWS, lambda lib, x: (x * 3 + 1) / 7 - 2, 0),
    "cat": (ROWS, lambda lib, x: lib.cat([x, x], 1), 0),
    "softmax": (ROWS, lambda lib, x: lib.softmax(x, -1), 0),
    "log softmax": (ROWS, lambda lib, x: lib.log_softmax(x, -1), 0),
    # torch keeps the logarithms of the probabilities, the reference the exponentials; and a sum
    # and a shift for each row.
    "cross-entropy": (ROWS, classes, 0.01),
    "mse": (ROWS, lambda lib, x: lib.nn.functional.mse_loss(x, x.detach() * 2), 0),
    "dropout": (ROWS, of("dropout", 0.5), 0),
    "max pool": (IMAGE, of("max_pool2d", 2), 0),
    "avg pool": (IMAGE, of("avg_pool2d", 2), 0),
    "batch norm": (IMAGE, of("batch_norm", None, None, training=True), 0.01),
    "group norm": (IMAGE, of("group_norm", 4), 0.01),
    "layer norm": (ROWS, of("layer_norm", (512,)), 0.01),
    "attention": ((2, 4, 512, 32), attention, 0.01),
}


@pytest.mark.parametrize("implementation", ["reference", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_no_more_than_torch(name, implementation):
    torch = pytest.importorskip("torch", reason="compares with torch")
    if implementation == "numba":
        pytest.importorskip("numba", reason="runs the kernels that Numba compiles")
    shape, operation, more = CASES[name]
    data = np.random.default_rng(0).normal(size=shape).astype("float32")
    theirs = torch.tensor(data, requires_grad=True)
    least = torch_bytes(torch, lambda: operation(torch, theirs), [theirs])
    ours = minigrad.tensor(data, requires_grad=True)
    with kernels.use(implementation):
        out = operation(minigrad, ours)
    assert kept_bytes(out, [ours]) <= least + more * data.nbytes


LAYERS = {
    "linear": (lambda: nn.Linear(512, 512), minigrad.ones(ROWS)),
    "convolution": (lambda: nn.Conv2d(16, 16, 3, padding=1), minigrad.ones(IMAGE)),
    "embedding": (lambda: nn.Embedding(100, 64), minigrad.arange(100).reshape(4, 25)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_keep_inputs_and_weights_alone(name):
    build, x = LAYERS[name]
    layer = build()
    out = layer(x)
    assert kept_bytes(out, [x, *layer.parameters()]) == 0


def held_after(run):
    """The bytes that a call leaves allocated, by NumPy's own account."""
    gc.collect()
    tracemalloc.start()
    try:
        result = run()
        gc.collect()
        return result, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_values_between_die_in_the_forward():
    x = minigrad.ones(100_000, requires_grad=True)
    (x * 2 + 1).cos()  # compiles the functions
    out, held = held_after(lambda: ((x * 2 + 1) * 3 - 4).cos())
    # The cosine keeps its input; sums and products with numbers keep nothing.
    assert held < 2.1 * x._array.nbytes
    assert out.requires_grad


def test_the_backward_frees_as_it_goes():
    x = minigrad.ones(100_000, requires_grad=True)
    x.exp().exp().sum().backward()
    x.grad = None
    layers = 12
    gc.collect()
    tracemalloc.start()
    try:
        out = x * 0.1
        for _ in range(layers):
            out = out.sin()
        total = out.sum()
        del out
        before = tracemalloc.get_traced_memory()[0] / x._array.nbytes
        tracemalloc.reset_peak()
        total.backward()
        peak = tracemalloc.get_traced_memory()[1] / x._array.nbytes
        after = tracemalloc.get_traced_memory()[0] / x._array.nbytes
    finally:
        tracemalloc.stop()
    assert layers <= before < layers + 1
    # Two cotangents and a factor at a time, and no gradient of what is between.
    assert peak < before + 4
    assert after < 1.1


def test_a_kept_value_dies_when_its_rule_has_run():
    x = minigrad.ones(10, requires_grad=True)
    hidden = x.exp()
    kept = weakref.ref(hidden._array)
    alive = []
    x.register_hook(lambda g: alive.append(kept() is not None))
    (hidden * hidden.detach().clone()).sum().backward(retain_graph=False)
    loss = x.exp()
    inner = weakref.ref(loss._array)
    total = loss.sum()
    del loss, hidden
    gc.collect()
    assert inner() is not None
    total.backward()
    assert inner() is None
    assert kept() is None
    assert alive == [True, False]


def test_the_gradient_of_a_network_is_all_that_stays():
    model = nn.Sequential(nn.Linear(300, 300), nn.ReLU(), nn.Dropout(0.1), nn.Linear(300, 10))
    data = minigrad.ones(500, 300)

    def step():
        loss = F.cross_entropy(model(data), minigrad.zeros(500, dtype=minigrad.int64))
        loss.backward()
        return loss

    step()
    model.zero_grad()
    _, held = held_after(step)
    assert held < 1.2 * sum(p._array.nbytes for p in model.parameters())
