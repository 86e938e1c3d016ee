"""Keras's layers: against Keras 3's own numbers and conventions, their gradients, both data
formats, training, configurations, and what each mistake is answered.
"""

import inspect
import json

import numpy
import pytest

import minigrad
from minigrad import keras, nn
from minigrad.autograd import gradcheck
from minigrad.errors import ArgumentError
from minigrad.keras import activations, constraints, initializers, layers, regularizers
from minigrad.keras.layers import (
    GRU,
    LSTM,
    Add,
    AveragePooling1D,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GroupNormalization,
    Layer,
    LeakyReLU,
    MaxPooling2D,
    MultiHeadAttention,
    Normalization,
    Permute,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Reshape,
    SimpleRNN,
    SpatialDropout2D,
    Subtract,
    TimeDistributed,
)


def numbers(shape, seed=0, dtype="float32"):
    """Numbers between -1 and 1 that need no generator."""
    count = int(numpy.prod(shape))
    return numpy.sin(numpy.arange(count) * 1.7 + seed).reshape(shape).astype(dtype)


def inputs_of(shape, dtype="float32"):
    if isinstance(shape, list):
        return [minigrad.tensor(numbers(one, i, dtype)) for i, one in enumerate(shape)]
    return minigrad.tensor(numbers(shape, 0, dtype))


def filled(layer, shape, dtype="float32"):
    """The layer, built, with weights that need no generator either."""
    layer(inputs_of(shape, dtype))
    layer.set_weights(
        [
            0.5 * numbers(weight.shape, i + 1) + (1 if "variance" in weight.path else 0)
            for i, weight in enumerate(layer.weights)
        ]
    )
    return layer


def made(expression, **options):
    """The layer that an expression of the table makes."""
    call = expression[:-1] + (", " if options and not expression.endswith("()") else "")
    call += ", ".join(f"{name}={value!r}" for name, value in options.items()) + ")"
    return eval(call, vars(layers))


# What Keras 3.15 gives for these inputs and weights: the shape of the output, and its sum weighted
# with the cosine of each element's place.
KERAS = [
    ('Dense(4, activation="gelu")', (2, 3, 5), (2, 3, 4), 0.99529),
    ("Conv2D(4, 3)", (2, 5, 6, 3), (2, 3, 4, 4), 0.29943),
    ('Conv2D(4, 3, padding="same")', (2, 5, 6, 3), (2, 5, 6, 4), 3.94218),
    ('Conv2D(4, 2, padding="same")', (2, 5, 6, 3), (2, 5, 6, 4), -0.04831),
    ('Conv2D(4, 3, strides=2, padding="same")', (2, 5, 6, 3), (2, 3, 3, 4), -1.14939),
    ('Conv2D(4, 4, strides=3, padding="same")', (2, 6, 7, 3), (2, 2, 3, 4), 1.09989),
    ('Conv2D(4, (2, 3), strides=(3, 2), padding="same")', (2, 7, 5, 3), (2, 3, 3, 4), -3.88305),
    (
        'Conv2D(4, 3, dilation_rate=2, padding="same", activation="tanh")',
        (2, 9, 8, 3),
        (2, 9, 8, 4),
        0.54315,
    ),
    ("Conv2D(6, 3, groups=2, use_bias=False)", (2, 5, 6, 4), (2, 3, 4, 6), -1.46286),
    ('Conv2D(4, 3, activation="softmax")', (2, 5, 6, 3), (2, 3, 4, 4), 0.27375),
    ('Conv3D(3, 2, padding="same")', (2, 4, 5, 6, 2), (2, 4, 5, 6, 3), 26.89501),
    ('Conv1D(4, 3, padding="causal", dilation_rate=2)', (2, 7, 3), (2, 7, 4), -1.11613),
    ('Conv1D(4, 4, strides=2, padding="causal")', (2, 7, 3), (2, 4, 4), -0.87527),
    ('Conv1D(4, 2, strides=2, padding="same")', (2, 7, 3), (2, 4, 4), 0.45137),
    (
        'DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)',
        (2, 5, 6, 3),
        (2, 3, 3, 6),
        0.88422,
    ),
    (
        'SeparableConv2D(4, 3, padding="same", depth_multiplier=2)',
        (2, 5, 6, 3),
        (2, 5, 6, 4),
        4.53290,
    ),
    ('Conv2DTranspose(4, 3, strides=2, padding="same")', (2, 5, 6, 3), (2, 10, 12, 4), 0.81591),
    ("Conv2DTranspose(4, 3, strides=2)", (2, 5, 6, 3), (2, 11, 13, 4), 7.72164),
    ('Conv2DTranspose(4, 2, strides=3, padding="same")', (2, 5, 6, 3), (2, 15, 18, 4), 1.87775),
    (
        'Conv2DTranspose(4, 4, strides=3, padding="same", output_padding=1)',
        (2, 5, 6, 3),
        (2, 13, 16, 4),
        12.72444,
    ),
    ("Conv2DTranspose(4, 2, strides=3)", (2, 5, 6, 3), (2, 15, 18, 4), 1.87775),
    ('MaxPooling2D(3, 2, "same")', (2, 5, 6, 3), (2, 3, 3, 3), -0.42675),
    ("MaxPooling2D(2)", (2, 6, 5, 3), (2, 3, 2, 3), 1.15235),
    ('MaxPooling2D((2, 3), 1, "same")', (2, 6, 5, 3), (2, 6, 5, 3), 0.02929),
    ('MaxPooling1D(3, 2, "same")', (2, 7, 3), (2, 4, 3), 0.18569),
    ("AveragePooling2D(2, 2)", (2, 6, 5, 3), (2, 3, 2, 3), 1.48326),
    ('AveragePooling2D(3, 2, "same")', (2, 5, 5, 3), (2, 3, 3, 3), -0.08634),
    ("GlobalAveragePooling2D()", (2, 5, 6, 3), (2, 3), -0.13744),
    ("GlobalMaxPooling2D(keepdims=True)", (2, 5, 6, 3), (2, 1, 1, 3), -0.22843),
    ('UpSampling2D((2, 3), interpolation="bilinear")', (2, 5, 6, 3), (2, 10, 18, 3), 0.81690),
    ("Resizing(7, 4)", (2, 5, 6, 3), (2, 7, 4, 3), 1.26174),
    ('Resizing(3, 8, interpolation="nearest")', (2, 5, 6, 3), (2, 3, 8, 3), -1.04644),
    ("ZeroPadding2D(((1, 0), (2, 3)))", (2, 5, 6, 3), (2, 6, 11, 3), -0.37823),
    ("Cropping2D(((1, 0), (2, 1)))", (2, 5, 6, 3), (2, 4, 3, 3), -0.28758),
    ("BatchNormalization()", (4, 5, 3), (4, 5, 3), 0.83349),
    ("BatchNormalization(axis=1, scale=False)", (4, 5, 3), (4, 5, 3), 1.91390),
    ("LayerNormalization()", (4, 5, 3), (4, 5, 3), 0.70085),
    ("GroupNormalization(3)", (4, 5, 6), (4, 5, 6), -0.04877),
    ("RMSNormalization()", (4, 5, 6), (4, 5, 6), -0.25498),
    ("UnitNormalization(axis=1)", (4, 5, 6), (4, 5, 6), 0.77762),
    ("ReLU(0.5, 0.1, 0.2)", (2, 3, 5), (2, 3, 5), -0.14858),
    ("LeakyReLU()", (2, 3, 5), (2, 3, 5), 0.31976),
    ("PReLU(shared_axes=[1])", (2, 3, 5), (2, 3, 5), 0.03018),
    ("Softmax(axis=(1, 2))", (2, 3, 5), (2, 3, 5), 0.02478),
    ('Flatten(data_format="channels_first")', (2, 3, 5), (2, 15), 0.27423),
    ("SimpleRNN(3)", (2, 4, 5), (2, 3), 0.76661),
    ("LSTM(3, return_sequences=True)", (2, 4, 5), (2, 4, 3), 0.27656),
    ('LSTM(3, recurrent_activation="hard_sigmoid", activation="elu")', (2, 4, 5), (2, 3), 0.11876),
    ("GRU(3)", (2, 4, 5), (2, 3), 0.07438),
    ("GRU(3, reset_after=False, return_sequences=True)", (2, 4, 5), (2, 4, 3), -0.36639),
    ("GRU(3, go_backwards=True, return_sequences=True)", (2, 4, 5), (2, 4, 3), -0.28047),
    ("Bidirectional(GRU(3, return_sequences=True))", (2, 4, 5), (2, 4, 6), 1.44998),
    ('Bidirectional(LSTM(3), merge_mode="ave")', (2, 4, 5), (2, 3), 0.09177),
    ("TimeDistributed(Dense(3))", (2, 4, 5), (2, 4, 3), -0.42682),
    ("Dot(axes=(1, 1))", [(2, 3, 4), (2, 3, 4)], (2, 4, 4), 3.59075),
    ("Dot(axes=2, normalize=True)", [(2, 3, 4), (2, 3, 4)], (2, 3, 3), -0.13462),
    ("Concatenate(axis=1)", [(2, 3, 4), (2, 1, 4)], (2, 4, 4), -0.38076),
    ("Add()", [(2, 3, 4), (2, 4)], (2, 3, 4), 1.91100),
    ("Average()", [(2, 3, 4), (2, 3, 4), (2, 3, 4)], (2, 3, 4), 0.49171),
    ("Maximum()", [(2, 3, 4), (2, 3, 4)], (2, 3, 4), 0.79792),
    ("Attention()", [(2, 3, 4), (2, 5, 4)], (2, 3, 4), 0.56695),
]
NAMES = [row[0] for row in KERAS]


@pytest.mark.parametrize(("expression", "shape", "output", "total"), KERAS, ids=NAMES)
def test_outputs_are_keras_s(expression, shape, output, total):
    layer = filled(made(expression), shape)
    y = layer(inputs_of(shape)).detach().numpy()
    assert y.shape == output
    weighted = y.astype("float64") * numpy.cos(numpy.arange(y.size)).reshape(y.shape)
    # Sums of a few hundred numbers of size one in float32, summed in another order.
    assert weighted.sum() == pytest.approx(total, rel=1e-4, abs=1e-4)
    assert list(layer.compute_output_shape(shape)) == list(y.shape)
    free = [(None, *one[1:]) for one in shape] if isinstance(shape, list) else (None, *shape[1:])
    assert list(layer.compute_output_shape(free)) == [None, *y.shape[1:]]


@pytest.mark.parametrize(("expression", "shape"), [row[:2] for row in KERAS], ids=NAMES)
def test_gradients_reach_inputs_and_weights(expression, shape):
    layer = filled(made(expression), shape).double()
    x = inputs_of(shape, "float64")
    several = x if isinstance(x, list) else [x]
    for one in several:
        one.add_(0.011).requires_grad_()  # away from the kinks at 0

    def run():
        return (layer(x) * minigrad.tensor(numbers(layer(x).shape, 5, "float64"))).sum()

    parameters = list(layer.parameters())
    run().backward()
    for place, leaf in enumerate([*several, *parameters]):
        direction = minigrad.tensor(numbers(leaf.shape, place + 2, "float64"))
        slope = (leaf.grad * direction).sum().item()
        values, step = leaf.detach(), 1e-6
        ahead = run_at(run, values, step * direction)
        behind = run_at(run, values, -step * direction)
        # Central differences of this step in float64 are right to about 1e-8.
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-7)


def run_at(run, values, move):
    """What a function gives with its values moved, which come back then."""
    before = values.clone()
    with minigrad.no_grad():
        values.add_(move)
        result = run().item()
        values.copy_(before)
    return result


@pytest.mark.parametrize(("expression", "shape"), [row[:2] for row in KERAS], ids=NAMES)
def test_a_configuration_makes_an_equal_layer(expression, shape):
    layer = filled(made(expression, name="one"), shape)
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert again.get_config() == layer.get_config()
    assert again.name == "one"
    again(inputs_of(shape))
    again.set_weights(layer.get_weights())
    assert minigrad.equal(again(inputs_of(shape)), layer(inputs_of(shape)))


def with_defaults():
    """Every exported layer with what it needs, and the shape of one sample."""
    needed = {
        "Activation": ("relu",), "Conv1D": (2, 2), "Conv2D": (2, 2), "Conv3D": (2, 2),
        "Conv1DTranspose": (2, 2), "Conv2DTranspose": (2, 2), "Conv3DTranspose": (2, 2),
        "DepthwiseConv1D": (2,),
        "DepthwiseConv2D": (2,), "SeparableConv1D": (2, 2), "SeparableConv2D": (2, 2),
        "Dense": (3,), "Dropout": (0.5,), "AlphaDropout": (0.5,), "GaussianDropout": (0.5,),
        "GaussianNoise": (0.5,), "SpatialDropout1D": (0.5,), "SpatialDropout2D": (0.5,),
        "SpatialDropout3D": (0.5,), "GRU": (3,), "LSTM": (3,), "SimpleRNN": (3,),
        "GroupNormalization": (2,), "Permute": ((2, 1),), "RepeatVector": (2,),
        "Reshape": ((-1,),), "Rescaling": (0.5,), "Resizing": (3, 3),
        "RandomContrast": (0.3,), "RandomRotation": (0.1,), "RandomTranslation": (0.1, 0.1),
        "RandomZoom": (0.2,), "Bidirectional": (LSTM(3),), "TimeDistributed": (Dense(3),),
        "Embedding": (5, 3),
    }  # fmt: skip
    elsewhere = {"InputLayer", "Layer", "Lambda", "Wrapper", "Attention", "MultiHeadAttention"}
    merging = set(layers.merging.__all__)
    for name, kind in vars(layers).items():
        if not inspect.isclass(kind) or not issubclass(kind, Layer):
            continue
        if name in elsewhere or name in merging or name != kind.__name__:
            continue
        image = name == "Resizing" or name in layers.augmentation.__all__
        dims = 3 if "3D" in name else 2 if "2D" in name or image else 1
        sizes = (4,) if name in ("RepeatVector", "Embedding") else (*(5, 6, 7)[:dims], 4)
        yield pytest.param(kind, needed.get(name, ()), sizes, id=name)


@pytest.mark.parametrize(("kind", "arguments", "sizes"), list(with_defaults()))
def test_every_layer_trains_a_step_in_a_model(kind, arguments, sizes):
    keras.utils.set_random_seed(0)
    layer = kind(*arguments)
    model = keras.Sequential([keras.Input(shape=sizes), layer, Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    x = numpy.abs(numbers((4, *sizes))) * 2
    model.fit(x, numpy.ones((4, 1)), batch_size=2, verbose=0)
    prediction = model.predict(x, verbose=0)
    assert prediction.shape == (4, 1)
    assert numpy.isfinite(prediction).all()
    assert model.layers[0].output_shape == layer.compute_output_shape((None, *sizes))
    config = json.loads(json.dumps(layer.get_config()))
    assert kind.from_config(config).get_config() == layer.get_config()


# Data formats.

IMAGE_LAYERS = [
    "Conv2D(4, 3, strides=2, padding='same')", "Conv2D(4, 2, padding='same', dilation_rate=2)",
    "DepthwiseConv2D(3, depth_multiplier=2)", "SeparableConv2D(4, 3)",
    "Conv2DTranspose(4, 3, strides=2, padding='same')", "MaxPooling2D(2, padding='same')",
    "AveragePooling2D(2, padding='same')", "GlobalAveragePooling2D()", "GlobalMaxPooling2D()",
    "ZeroPadding2D(((1, 0), (2, 3)))", "Cropping2D(1)", "UpSampling2D(2)", "Resizing(7, 4)",
]  # fmt: skip


@pytest.mark.parametrize("expression", IMAGE_LAYERS)
def test_both_data_formats_agree(expression):
    x = inputs_of((2, 5, 6, 3))
    last = filled(made(expression), (2, 5, 6, 3))
    first = filled(made(expression, data_format="channels_first"), (2, 3, 5, 6))
    first.set_weights(last.get_weights())
    a, b = last(x), first(x.permute(0, 3, 1, 2))
    if a.ndim == 4:
        b = b.permute(0, 2, 3, 1)
    assert a.shape == b.shape
    # The same numbers in another order in memory: sums may differ in the last bit.
    assert minigrad.allclose(a, b, rtol=1e-5, atol=1e-6)


def test_channels_last_costs_no_copy():
    images = minigrad.tensor(numbers((2, 8, 8, 3)))
    x = Conv2D(4, 3, activation="relu")(images)
    assert x.permute(0, 3, 1, 2).is_contiguous()
    x = MaxPooling2D(2)(x)
    assert x.permute(0, 3, 1, 2).is_contiguous()
    norm = BatchNormalization()
    assert norm(x, training=True).permute(0, 3, 1, 2).is_contiguous()


def test_the_global_data_format_is_the_default():
    keras.config.set_image_data_format("channels_first")
    try:
        layer = Conv2D(4, 3)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert layer.compute_output_shape((None, 3, 8, 8)) == (None, 4, 6, 6)
    assert Conv2D(4, 3).data_format == "channels_last"


@pytest.mark.parametrize("size", [4, 5, 6, 7])
@pytest.mark.parametrize("window", [2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_average_pooling_counts_no_cell_outside(size, window, stride):
    x = numbers((1, size, 1))[0, :, 0]
    count = -(-size // stride)
    before = max((count - 1) * stride + window - size, 0) // 2
    starts = [place * stride - before for place in range(count)]
    means = [x[max(start, 0) : start + window].mean() for start in starts]
    layer = AveragePooling1D(window, stride, "same")
    y = layer(minigrad.tensor(x.reshape(1, size, 1)))
    assert y.numpy().ravel() == pytest.approx(means, rel=1e-5, abs=1e-6)


# Weights: layouts, first values, constraints and penalties.


def test_weights_have_keras_s_layout():
    dense, conv = filled(Dense(4), (2, 3)), filled(Conv2D(8, (2, 3)), (1, 5, 5, 3))
    assert [weight.shape for weight in dense.get_weights()] == [(3, 4), (4,)]
    assert [weight.shape for weight in conv.get_weights()] == [(2, 3, 3, 8), (8,)]
    assert [tuple(p.shape) for p in conv.parameters()] == [(8, 3, 2, 3), (8,)]
    assert conv.kernel.numpy()[1, 2, 0, 5] == conv.conv.weight[5, 0, 1, 2].item()
    depthwise = filled(DepthwiseConv2D((2, 3), depth_multiplier=2), (1, 5, 5, 3))
    assert depthwise.get_weights()[0].shape == (2, 3, 3, 2)
    assert depthwise.kernel.numpy()[1, 2, 2, 1] == depthwise.depthwise.weight[5, 0, 1, 2].item()
    gru = filled(GRU(3), (2, 4, 5))
    assert [weight.shape for weight in gru.get_weights()] == [(5, 9), (3, 9), (2, 9)]
    # The update gate comes first in Keras, second in torch.
    assert gru.kernel.numpy()[0, 0] == gru.rnn.weight_ih_l0[3, 0].item()


def test_a_forget_gate_starts_open():
    lstm = LSTM(2)
    lstm(minigrad.zeros(1, 2, 3))
    assert lstm.bias.numpy().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    closed = LSTM(2, unit_forget_bias=False)
    closed(minigrad.zeros(1, 2, 3))
    assert not closed.bias.numpy().any()


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("glorot_uniform", nn.init.xavier_uniform_),
        ("he_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("lecun_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="linear")),
        ("random_normal", lambda w: nn.init.normal_(w, 0, 0.05)),
        ("random_uniform", lambda w: nn.init.uniform_(w, -0.05, 0.05)),
        ("orthogonal", nn.init.orthogonal_),
        ("ones", nn.init.ones_),
    ],
)
@pytest.mark.parametrize("convolution", [False, True])
def test_first_weights_are_the_draws_of_nn_init(name, draw, convolution):
    minigrad.manual_seed(3)
    layer = (
        Conv2D(6, 3, kernel_initializer=name) if convolution else Dense(6, kernel_initializer=name)
    )
    layer.build((None, 8, 8, 4) if convolution else (None, 4))
    minigrad.manual_seed(3)
    module = nn.Conv2d(4, 6, 3) if convolution else nn.Linear(4, 6)
    draw(module.weight)
    nn.init.zeros_(module.bias)
    held = layer.conv if convolution else layer.linear
    assert minigrad.equal(held.weight, module.weight)
    assert minigrad.equal(held.bias, module.bias)


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        # Of a kernel (3, 3, 8, 16): 72 inputs, 144 outputs.
        ("glorot_normal", (2 / 216) ** 0.5),
        ("glorot_uniform", (2 / 216) ** 0.5),
        ("he_normal", (2 / 72) ** 0.5),
        ("lecun_normal", (1 / 72) ** 0.5),
        (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"), (3 / 144) ** 0.5),
    ],
)
def test_initializers_have_keras_s_variance(initializer, deviation):
    minigrad.manual_seed(0)
    values = initializers.get(initializer)((3, 3, 8, 16))
    assert values.shape == (3, 3, 8, 16)
    # 1152 draws: the deviation is known to about 2 %.
    assert values.std().item() == pytest.approx(deviation, rel=0.08)


def test_fans_of_a_depthwise_kernel_are_keras_s():
    minigrad.manual_seed(0)
    layer = DepthwiseConv2D(3, depth_multiplier=2)
    layer.build((None, 8, 8, 64))
    bound = (6 / (9 * 64 + 9 * 2)) ** 0.5
    largest = numpy.abs(layer.kernel.numpy()).max()
    assert 0.98 * bound < largest <= bound


def test_a_seeded_initializer_repeats_itself():
    draw = initializers.GlorotUniform(seed=5)
    assert minigrad.equal(draw((4, 3)), draw((4, 3)))
    layer = Dense(3, kernel_initializer=draw)
    layer.build((None, 4))
    assert numpy.array_equal(layer.kernel.numpy(), draw((4, 3)).numpy())


def test_an_initializer_may_be_a_function_or_values():
    def ramp(shape, dtype=None):
        return numpy.arange(numpy.prod(shape), dtype="float32").reshape(shape)

    for given in (ramp, ramp((2, 3))):
        layer = Dense(3, kernel_initializer=given)
        layer.build((None, 2))
        assert layer.kernel.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    gru = GRU(1, kernel_initializer=ramp)
    gru.build((None, None, 2))
    assert gru.kernel.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ArgumentError, match=r"shape \(2, 3\) and the weight has shape \(4, 3\)"):
        Dense(3, kernel_initializer=ramp((2, 3))).build((None, 4))


W = minigrad.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0], [2.0, 2.0, 0.0]])


@pytest.mark.parametrize(
    ("regularizer", "penalty"),
    [
        # The numbers of Keras 3.15.
        ("l1", 0.155),
        ("l2", 0.3925),
        ("l1_l2", 0.5475),
        (regularizers.L1L2(0.1, 0.2), 9.4),
        (regularizers.OrthogonalRegularizer(0.1), 0.05435923),
        (regularizers.OrthogonalRegularizer(0.1, "columns"), 0.04489595),
    ],
)
def test_penalties_are_keras_s(regularizer, penalty):
    found = regularizers.get(regularizer)
    assert found(W).item() == pytest.approx(penalty, rel=1e-6)
    again = regularizers.get(regularizers.serialize(found))
    assert again(W).item() == found(W).item()


def test_penalties_reach_the_loss_of_a_layer():
    layer = filled(Dense(2, kernel_regularizer="l2", activity_regularizer="l1"), (4, 3))
    y = layer(inputs_of((4, 3)))
    kernel = layer.get_weights()[0]
    losses = [loss.item() for loss in layer.losses]
    assert 0.01 * (kernel**2).sum() == pytest.approx(losses[-1], rel=1e-6)
    assert 0.01 * y.abs().sum().item() / 4 in [pytest.approx(loss, rel=1e-6) for loss in losses]


@pytest.mark.parametrize(
    ("constraint", "first"),
    [
        # The first row of what Keras 3.15 makes of W.
        (constraints.MaxNorm(2), [0.8728715, -0.8164966, 1.8973665]),
        (constraints.MaxNorm(2, axis=1), [0.5345225, -1.069045, 1.6035674]),
        ("non_neg", [1.0, 0.0, 3.0]),
        ("unit_norm", [0.4364358, -0.4082483, 0.9486833]),
        (constraints.MinMaxNorm(0.5, 2.5, 0.7), [1.0, -1.3144345, 2.5601957]),
    ],
)
def test_constraints_are_keras_s(constraint, first):
    found = constraints.get(constraint)
    assert found(W)[0].tolist() == pytest.approx(first, rel=1e-6)
    again = constraints.get(constraints.serialize(found))
    assert minigrad.equal(again(W), found(W))


def test_a_constraint_holds_after_training():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([Dense(3, kernel_constraint="max_norm", input_shape=(4,))])
    model.compile(keras.optimizers.SGD(5.0), "mse")
    model.fit(numbers((16, 4)), 100 * numbers((16, 3)), verbose=0)
    norms = numpy.linalg.norm(model.layers[0].get_weights()[0], axis=0)
    assert norms.max() <= 2 + 1e-5


# Activations.

AT = [-4.0, -1.0, -0.3, 0.0, 0.4, 1.2, 5.0]
# The numbers of Keras 3.15 at AT.
ACTIVATIONS = {
    "celu": [-0.98168436, -0.63212056, -0.25918178, 0.0, 0.4, 1.2, 5.0],
    "elu": [-0.98168436, -0.63212056, -0.25918178, 0.0, 0.4, 1.2, 5.0],
    "exponential": [0.01831564, 0.36787944, 0.74081822, 1.0, 1.4918247, 3.32011692, 148.4131591],
    "gelu": [-0.00012668, -0.15865525, -0.11462657, 0.0, 0.2621687, 1.0619164, 4.99999857],
    "hard_shrink": [-4.0, -1.0, 0.0, 0.0, 0.0, 1.2, 5.0],
    "hard_sigmoid": [0.0, 0.33333333, 0.45, 0.5, 0.56666667, 0.7, 1.0],
    "hard_silu": [-0.0, -0.33333333, -0.135, 0.0, 0.22666667, 0.84, 5.0],
    "hard_tanh": [-1.0, -1.0, -0.3, 0.0, 0.4, 1.0, 1.0],
    "leaky_relu": [-0.8, -0.2, -0.06, 0.0, 0.4, 1.2, 5.0],
    "log_sigmoid": [
        -4.01814993,
        -1.31326169,
        -0.85435524,
        -0.69314718,
        -0.51301525,
        -0.26328247,
        -0.00671535,
    ],
    "log_softmax": [
        -9.04569424,
        -6.04569424,
        -5.34569424,
        -5.04569424,
        -4.64569424,
        -3.84569424,
        -0.04569424,
    ],
    "mish": [-0.07259174, -0.30340146, -0.15113318, 0.0, 0.28903053, 1.07794589, 4.99955208],
    "relu6": [0.0, 0.0, 0.0, 0.0, 0.4, 1.2, 5.0],
    "selu": [-1.72589863, -1.11133074, -0.45566732, 0.0, 0.42028039, 1.26084118, 5.25350494],
    "sigmoid": [0.01798621, 0.26894142, 0.42555748, 0.5, 0.59868766, 0.76852478, 0.99330715],
    "silu": [-0.07194484, -0.26894142, -0.12766724, 0.0, 0.23947506, 0.92222974, 4.96653575],
    "soft_shrink": [-3.5, -0.5, -0.0, 0.0, 0.0, 0.7, 4.5],
    "softmax": [0.0001179, 0.00236804, 0.00476864, 0.00643699, 0.00960286, 0.02137156, 0.95533402],
    "softplus": [
        0.01814993,
        0.31326169,
        0.55435524,
        0.69314718,
        0.91301525,
        1.46328247,
        5.00671535,
    ],
    "softsign": [-0.8, -0.5, -0.23076923, 0.0, 0.28571429, 0.54545455, 0.83333333],
    "sparse_plus": [0.0, 0.0, 0.1225, 0.25, 0.49, 1.2, 5.0],
    "sparse_sigmoid": [0.0, 0.0, 0.35, 0.5, 0.7, 1.0, 1.0],
    "squareplus": [0.23606798, 0.61803399, 0.86118742, 1.0, 1.2198039, 1.76619038, 5.1925824],
    "tanh": [-0.9993293, -0.76159416, -0.29131261, 0.0, 0.37994896, 0.83365461, 0.9999092],
    "tanh_shrink": [-3.0006707, -0.23840584, -0.00868739, 0.0, 0.02005104, 0.36634539, 4.0000908],
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_keras_s(name):
    x = minigrad.tensor([AT], dtype="float64")
    assert activations.get(name)(x)[0].tolist() == pytest.approx(ACTIVATIONS[name], abs=1e-7)
    assert activations.get(activations.serialize(activations.get(name))) is activations.get(name)
    # Two points where none has a kink.
    points = minigrad.tensor([[0.3, -0.7]], dtype="float64", requires_grad=True)
    assert gradcheck(activations.get(name), points)


def test_relu_takes_slope_limit_and_threshold():
    x = minigrad.tensor([-3.0, -0.5, 0.5, 1.0, 2.0, 7.0])
    y = activations.relu(x, negative_slope=0.1, max_value=5, threshold=1.0)
    # Keras 3.15's numbers.
    assert y.tolist() == pytest.approx([-0.4, -0.15, -0.05, 0.0, 2.0, 5.0])


def test_sparsemax_gives_probabilities():
    x = minigrad.tensor([[0.1, 0.5, -0.2], [1.0, 0.9, 0.8]])
    y = activations.sparsemax(x)
    assert y[0].tolist() == pytest.approx([0.3, 0.7, 0.0], abs=1e-6)
    assert y.sum(1).tolist() == pytest.approx([1.0, 1.0])
    assert minigrad.allclose(activations.sparsemax(x.T, axis=0).T, y)


def test_an_activation_may_be_a_layer_or_a_function():
    x = inputs_of((3, 4))
    layer = filled(Dense(2, activation=LeakyReLU(0.1)), (3, 4))
    config = layer.get_config()
    assert config["activation"]["class_name"] == "LeakyReLU"
    assert Dense.from_config(config).activation.negative_slope == 0.1
    plain = filled(Dense(2, activation=lambda z: z * 2), (3, 4))
    assert minigrad.allclose(plain(x), 2 * filled(Dense(2), (3, 4))(x))


# Batch statistics, dropout and noise.


def test_batch_normalization_moves_biased_statistics():
    layer = BatchNormalization(momentum=0.9)
    x = numbers((4, 5, 3))
    y = layer(minigrad.tensor(x), training=True).detach()
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    assert y.numpy() == pytest.approx((x - mean) / numpy.sqrt(variance + 1e-3), abs=1e-5)
    gamma, beta, moving_mean, moving_variance = layer.get_weights()
    assert moving_mean == pytest.approx(0.1 * mean, abs=1e-6)
    assert moving_variance == pytest.approx(0.9 + 0.1 * variance, abs=1e-6)
    layer.trainable = False
    frozen = layer(minigrad.tensor(x), training=True)
    assert minigrad.equal(frozen, layer(minigrad.tensor(x)))
    assert numpy.array_equal(layer.get_weights()[2], moving_mean)


def test_batch_normalization_of_one_value_gives_beta():
    layer = BatchNormalization(beta_initializer="ones")
    assert layer(minigrad.full((1, 3), 7.0), training=True).tolist() == [[1.0, 1.0, 1.0]]


def test_dropout_acts_in_training_alone():
    minigrad.manual_seed(0)
    x = minigrad.ones(200, 50)
    layer = Dropout(0.25)
    assert minigrad.equal(layer(x), x)
    y = layer(x, training=True)
    assert y.unique().tolist() == pytest.approx([0.0, 4 / 3])
    # 10000 draws: the share is known to about half a percent.
    assert (y == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_dropout_draws_as_nn_does_and_by_its_own_seed():
    x = minigrad.ones(4, 5)
    minigrad.manual_seed(1)
    a = Dropout(0.5)(x, training=True)
    minigrad.manual_seed(1)
    b = nn.Dropout(0.5)(x)
    assert minigrad.equal(a, b)
    seeded = [Dropout(0.5, seed=7)(x, training=True) for _ in range(2)]
    assert minigrad.equal(*seeded)


def test_whole_channels_drop_out_together():
    minigrad.manual_seed(0)
    y = SpatialDropout2D(0.5)(minigrad.ones(8, 3, 4, 6), training=True)
    sums = y.sum((1, 2))
    assert set(sums.unique().tolist()) == {0.0, 24.0}
    y = Dropout(0.5, noise_shape=(None, 1))(minigrad.ones(50, 3), training=True)
    assert set(y.sum(1).unique().tolist()) == {0.0, 6.0}


def test_noise_has_its_deviation():
    minigrad.manual_seed(0)
    x = minigrad.full((200, 50), 3.0)
    assert minigrad.equal(GaussianNoise(0.2)(x), x)
    y = GaussianNoise(0.2)(x, training=True)
    assert y.std().item() == pytest.approx(0.2, rel=0.05)
    y = GaussianDropout(0.2)(x, training=True)
    assert y.std().item() == pytest.approx(3 * 0.5, rel=0.05)


def test_augmentation_is_keras_s():
    image = minigrad.arange(20.0).reshape(1, 4, 5, 1)

    def changed(layer):
        return layer(image, training=True)[0, :, :, 0]

    # Keras 3.15's numbers, with factors that leave nothing to chance.
    moved = changed(RandomTranslation((0.25, 0.25), (0.2, 0.2), "constant", fill_value=-1))
    assert moved[0].tolist() == [-1] * 5
    assert moved[1].tolist() == pytest.approx([-1, 0, 1, 2, 3], abs=1e-4)
    turned = changed(RandomRotation((0.25, 0.25)))
    assert turned[0].tolist() == pytest.approx([3.5, 6, 11, 16, 18.5], abs=1e-4)
    zoomed = changed(RandomZoom((-0.5, -0.5)))
    assert zoomed[0].tolist() == pytest.approx([4.75, 5.25, 5.75, 6.25, 6.75], abs=1e-4)
    assert minigrad.equal(RandomRotation(0.5)(image), image)


def test_a_flip_mirrors_about_half_of_the_images():
    minigrad.manual_seed(0)
    images = minigrad.arange(6.0).reshape(1, 2, 3, 1).expand(400, 2, 3, 1)
    flipped = RandomFlip("horizontal")(images, training=True)
    mirrored = (flipped == images.flip(2)).all(3).all(2).all(1)
    assert ((flipped == images).all(3).all(2).all(1) | mirrored).all()
    # 400 throws of a coin: five standard deviations.
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.125)
    seeded = [RandomFlip(seed=3)(images, training=True) for _ in range(2)]
    assert minigrad.equal(*seeded)


def test_contrast_keeps_the_mean():
    image = minigrad.tensor([[[[1.0], [3.0]]]])
    higher = RandomContrast((0, 1.0), seed=1)(image, training=True)
    assert higher.mean().item() == pytest.approx(2.0)
    assert 2 < (higher[0, 0, 1] - higher[0, 0, 0]).item() <= 4


# Layers with more than one input or output, and wrapped ones.


def test_merging_works_on_symbols_and_tensors():
    a, b = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([a, b], layers.multiply([layers.add([a, b]), layers.subtract([a, b])]))
    x, y = numbers((2, 4)), numbers((2, 4), 1)
    assert model.predict([x, y], verbose=0) == pytest.approx(x**2 - y**2, abs=1e-6)


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_recurrent_states_and_directions(kind):
    x = inputs_of((2, 5, 3))
    layer = filled(kind(4, return_sequences=True, return_state=True), (2, 5, 3))
    outputs, *states = layer(x)
    assert len(states) == (2 if kind is LSTM else 1)
    assert minigrad.equal(outputs[:, -1], states[0])
    assert [tuple(shape) for shape in layer.compute_output_shape((None, 5, 3))] == [
        (None, 5, 4), *[(None, 4)] * len(states)
    ]  # fmt: skip
    first, *between = layer(x[:, :2])
    second, *last = layer(x[:, 2:], initial_state=between)
    assert minigrad.allclose(minigrad.cat([first, second], 1), outputs, atol=1e-6)
    back = filled(kind(4, return_sequences=True, go_backwards=True), (2, 5, 3))
    assert minigrad.allclose(back(x), layer(x.flip(1))[0], atol=1e-6)
    stateful = filled(kind(4, return_sequences=True, stateful=True), (2, 2, 3))
    stateful.reset_state()
    parts = [stateful(x[:, :2]), stateful(x[:, 2:])]
    assert minigrad.allclose(minigrad.cat(parts, 1), outputs, atol=1e-6)
    with pytest.raises(ArgumentError, match="every batch has the size of the first, 2"):
        stateful(x[:1])


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_step_by_step_equals_the_operation_of_nn(kind):
    x = inputs_of((2, 5, 3))
    layer = filled(kind(4, return_sequences=True), (2, 5, 3))
    everything = minigrad.ones(2, 5)
    assert minigrad.allclose(layer(x, mask=everything), layer(x), atol=1e-6)
    # A masked step leaves the state as it was.
    mask = minigrad.tensor([[1, 1, 0, 1, 0], [1, 0, 0, 0, 1]])
    outputs = layer(x, mask=mask)
    assert minigrad.equal(outputs[0, 2], outputs[0, 1])
    kept = layer(x[:1, [0, 1, 3]])
    assert minigrad.allclose(outputs[0, [0, 1, 3]], kept[0], atol=1e-6)


def test_recurrent_dropout_is_one_draw_for_all_steps():
    minigrad.manual_seed(0)
    layer = SimpleRNN(3, recurrent_dropout=0.5, dropout=0.5, return_sequences=True, seed=1)
    x = minigrad.ones(2, 4, 3)
    layer(x)
    a, b = layer(x, training=True), layer(x, training=True)
    assert not minigrad.equal(a, b)
    assert minigrad.equal(layer(x), layer(x))


def test_bidirectional_is_two_layers():
    x = inputs_of((2, 5, 3))
    both = filled(Bidirectional(LSTM(4, return_sequences=True, return_state=True)), (2, 5, 3))
    outputs, *states = both(x)
    assert outputs.shape == (2, 5, 8)
    assert [weight.shape for weight in both.get_weights()] == [(3, 16), (4, 16), (16,)] * 2
    assert minigrad.equal(outputs[:, -1, :4], states[0])
    assert minigrad.equal(outputs[:, 0, 4:], states[2])
    with pytest.raises(ArgumentError, match="opposite directions"):
        Bidirectional(LSTM(4), backward_layer=LSTM(4))
    with pytest.raises(ArgumentError, match="must be recurrent"):
        Bidirectional(Dense(4))


def test_multi_head_attention_is_keras_s():
    query, value = inputs_of((2, 5, 6)), minigrad.tensor(numbers((2, 4, 7), 3))
    layer = MultiHeadAttention(2, 3)
    layer(query, value)
    shapes = [weight.shape for weight in layer.get_weights()]
    assert shapes[::2] == [(6, 2, 3), (7, 2, 3), (7, 2, 3), (2, 3, 6)]
    assert shapes[1::2] == [(2, 3), (2, 3), (2, 3), (6,)]
    layer.set_weights([numbers(shape, i) for i, shape in enumerate(shapes)])
    # Keras 3.15's numbers.
    plain = layer(query, value).detach()
    assert plain[0, 0].tolist() == pytest.approx(
        [1.3991, 2.1442, -1.9517, -1.6412, 2.3746, 1.0293], abs=1e-4
    )
    causal = layer(query, value, use_causal_mask=True)
    assert causal[0, 0].tolist() == pytest.approx(
        [1.5401, 2.4901, -2.1818, -1.9278, 2.6786, 1.2376], abs=1e-4
    )
    mask = minigrad.tensor(numbers((2, 5, 4)) > -0.5)
    masked, weights = layer(query, value, attention_mask=mask, return_attention_scores=True)
    assert masked[0, 0].tolist() == pytest.approx(
        [1.3222, 2.2757, -1.9086, -1.7839, 2.3683, 1.1736], abs=1e-4
    )
    assert minigrad.allclose(masked, layer(query, value, attention_mask=mask), atol=1e-5)
    assert not weights[~mask.unsqueeze(1).expand(2, 2, 5, 4)].any()
    x = keras.Input((5, 6))
    model = keras.Model(x, MultiHeadAttention(2, 3)(x, x))
    assert model.output_shape == (None, 5, 6)


def test_normalization_learns_from_data_in_any_portions():
    data = 3 * numbers((12, 4)) + 5
    whole, portions = Normalization(), Normalization()
    whole.adapt(data)
    portions.adapt(iter([data[:5], data[5:]]))
    y = whole(minigrad.tensor(data)).numpy()
    assert y.mean(0) == pytest.approx(numpy.zeros(4), abs=1e-5)
    assert y.std(0) == pytest.approx(numpy.ones(4), rel=1e-5)
    assert portions.get_weights()[0] == pytest.approx(whole.get_weights()[0], rel=1e-6)
    assert portions.get_weights()[1] == pytest.approx(whole.get_weights()[1], rel=1e-6)
    given = Normalization(mean=data.mean(0), variance=data.var(0), invert=True)
    assert given(minigrad.tensor(y)).numpy() == pytest.approx(data, abs=1e-4)


def test_an_embedding_looks_rows_up():
    layer = filled(Embedding(5, 3), (2, 2))
    table = layer.get_weights()[0]
    found = layer(minigrad.tensor([[4, 0], [1, 1]]))
    assert numpy.array_equal(found.detach().numpy(), table[[[4, 0], [1, 1]]])
    assert numpy.array_equal(layer(numpy.array([[4.0, 0.0]])).detach().numpy(), table[[[4, 0]]])


# Mistakes.


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: Dense(0), r"Dense\(\): units must be a positive integer, got 0"),
        (lambda: Dense(-3), "positive integer, got -3"),
        (lambda: Dense(2.5), "positive integer, got 2.5"),
        (lambda: Dense(3, activation="rellu"), "did you mean 'relu'"),
        (lambda: Dense(3, kernel_initializer="glorot_unifrom"), "did you mean 'GlorotUniform'"),
        (lambda: Dense(3, kernel_regularizer="l3"), "unknown regularizer 'l3'"),
        (lambda: Dense(3, kernel_constraint="maxnorn"), "did you mean 'max_norm'"),
        (lambda: Dense(3).build((None, None)), r"whose length must be known; got shape"),
        (lambda: Dense(3)(minigrad.ones(4)), "at least 2 dimensions"),
        (lambda: filled(Dense(3), (2, 4))(minigrad.ones(2, 5)), "expects the length 4 in axis -1"),
        (
            lambda: Conv2D(4, 3)(keras.Input((28, 28))),
            r"expected 4 dims \(batch, height, width, channels\), got shape \(None, 28, 28\); add "
            r"a channel axis: x\[..., None\]",
        ),
        (lambda: MaxPooling2D()(minigrad.ones(5, 28, 28)), r"add a channel axis"),
        (lambda: Conv2D(4, 3, padding="smae"), "must be one of 'valid', 'same', got 'smae'"),
        (lambda: Conv2D(4, 3, padding="causal"), "must be one of 'valid', 'same'"),
        (lambda: Conv2D(4, 3, data_format="channels_lst"), "did you mean 'channels_last'"),
        (lambda: Conv2D(4, (3, 3, 3)), "kernel_size must be an integer or 2 integers"),
        (lambda: Conv2D(4, 3, strides=0), "strides must be an integer or 2 integers, positive"),
        (lambda: Conv2D(4, 3, strides=2, dilation_rate=2), "cannot be combined"),
        (lambda: Conv2D(4, 3, groups=3), "groups=3 must divide filters=4"),
        (lambda: Conv2D(4, 3, groups=2)(minigrad.ones(1, 5, 5, 3)), "must divide the 3 channels"),
        (lambda: Conv2D(4, 7)(keras.Input((5, 5, 1))), "a window of 7 does not fit into 5 cells"),
        (lambda: Reshape((3, 5))(minigrad.ones(2, 14)), "has 14 elements, which do not fit"),
        (lambda: Permute((0, 1)), "each of 1 to 2 once"),
        (lambda: Dropout(1.5), "rate must be between 0 and 1, got 1.5"),
        (lambda: Add()(minigrad.ones(2, 3)), "is called on a list of inputs"),
        (lambda: Subtract()([minigrad.ones(2, 3)] * 3), "takes exactly 2 inputs, got 3"),
        (lambda: Add()([minigrad.ones(2, 3), minigrad.ones(2, 4)]), "cannot merge inputs of"),
        (lambda: Concatenate()([minigrad.ones(2, 3, 1), minigrad.ones(2, 4, 1)]), "cannot join"),
        (lambda: Dot(0), "none of them 0, the batch"),
        (lambda: LSTM(3)(minigrad.ones(2, 3)), "expects 3 dimensions"),
        (lambda: LSTM(3)(minigrad.ones(2, 0, 3)), "has no steps"),
        (lambda: Embedding(5, 3, mask_zero=True), "mask_zero must be False"),
        (lambda: GroupNormalization(3)(minigrad.ones(2, 4)), "must divide the 4 channels"),
        (lambda: BatchNormalization(axis=0)(minigrad.ones(2, 4)), "axis 0 must be one of"),
        (lambda: Cropping2D(3)(minigrad.ones(1, 5, 5, 1)), "leaves nothing"),
        (lambda: RandomRotation(-0.1), "factor must be a number of at least 0 or a pair"),
        (lambda: RandomTranslation(0.1, 0.1, "wrap"), "fill_mode must be one of 'reflect'"),
        (lambda: RandomFlip("horizntal"), "did you mean 'horizontal'"),
        (lambda: regularizers.L2(-1.0), "not negative, got -1.0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode must be one of"),
        (lambda: Normalization(mean=1.0), "give both mean and variance"),
        (lambda: TimeDistributed(Dense), r"must be a layer, got .*; write Dense\(...\)"),
    ],
)
def test_mistakes_are_answered(mistake, words):
    with pytest.raises(ArgumentError, match=words):
        mistake()
