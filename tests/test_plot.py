"""The plots: pictures compared with those kept, what is drawn, and answers to bad input."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.contour import ContourSet
from matplotlib.legend import Legend
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

import minigrad
from minigrad import nn, plot
from minigrad.errors import ArgumentError
from minigrad.extras import MissingExtra
from minigrad.plot import theme
from minigrad.plot.theme import theme_of
from minigrad.training import History
from tests.plot_samples import (
    DECAY,
    GUESSES,
    HISTORY,
    IMAGES,
    LABELS,
    MATRIX,
    PLOTS,
    RING,
    STEPS,
    bowl,
    path,
    probability,
)

FOLDER = Path(__file__).parent / "golden" / "plots"

# Letters are left out of the pictures, because fonts differ; what remains may differ by the
# smoothing of edges between versions of matplotlib. Where a curve is missing they differ by 3 or
# more, where the thinnest line is by 2.1.
TOLERANCE = 2.0


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a plot is not shown"))
    yield
    plt.close("all")


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return line


def lightness(color):
    return float(np.dot(to_rgb(color), (0.2126, 0.7152, 0.0722)))


# All plots alike.


@pytest.mark.parametrize("paper", ["light", "dark"])
@pytest.mark.parametrize("name", PLOTS)
def test_the_picture_is_the_one_kept(name, paper, tmp_path):
    with plot.style(paper):
        figure, axes = plt.subplots(figsize=(3.6, 2.6), layout="none")
        PLOTS[name](axes)
    for artist in figure.findobj(lambda found: isinstance(found, Text | Legend)):
        artist.set_visible(False)
    kept, drawn = FOLDER / f"{name}_{paper}.png", tmp_path / f"{name}_{paper}.png"
    if os.environ.get("MINIGRAD_WRITE_GOLDEN"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        figure.savefig(kept, dpi=60, metadata={"Software": None})
    figure.savefig(drawn, dpi=60)
    assert compare_images(str(kept), str(drawn), TOLERANCE) is None


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_makes_a_figure_only_when_it_is_given_no_axes(name):
    figure, axes = plt.subplots()
    settings = dict(mpl.rcParams)
    assert PLOTS[name](axes) is axes
    assert plt.get_fignums() == [figure.number]
    own = PLOTS[name]()
    assert own.figure is not figure
    assert plt.get_fignums() == [figure.number, own.figure.number]
    assert dict(mpl.rcParams) == settings
    assert set(PLOTS) - {"decision_regions"} == set(plot.__all__) - {"activations", "style"}


PAPERS = {
    "default": mpl.rc_context,
    "dark": lambda: plot.style("dark"),
    "dark_background": lambda: plt.style.context("dark_background"),
}


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", [name for name in PLOTS if name != "confusion_matrix"])
def test_words_and_curves_stand_out_from_the_paper(name, paper):
    with PAPERS[paper]():
        axes = PLOTS[name]()
        axes.figure.canvas.draw()
    below = lightness(theme_of(axes).paper)
    assert (below < 0.1) == paper.startswith("dark")
    words = [text for text in axes.figure.findobj(Text) if text.get_text()]
    assert words
    for text in words:
        assert abs(lightness(text.get_color()) - below) > 0.3, text
    for line in axes.lines:
        if line.get_label()[0] != "_":
            assert abs(lightness(line.get_color()) - below) > 0.25, line


def test_the_axes_decide_the_colours_wherever_the_plot_is_drawn():
    with plt.style.context("dark_background"):
        _, axes = plt.subplots()
    plot.cost({"batch": DECAY}, ax=axes)
    assert curve(axes, "batch").get_color() == theme.DARK[0]
    assert lightness(axes.get_legend().get_texts()[0].get_color()) > 0.9


def test_curves_differ_in_more_than_colour():
    axes = plot.cost({str(i): DECAY + i for i in range(7)})
    strokes = {str((line.get_linestyle(), line._dash_pattern)) for line in axes.lines}
    assert len(strokes) == 7
    assert len({line.get_color() for line in axes.lines}) == 7


def test_the_style_lasts_as_long_as_its_block():
    before = mpl.rcParams["axes.facecolor"]
    with plot.style("dark"):
        assert mpl.rcParams["axes.facecolor"] == "#14171f"
    assert mpl.rcParams["axes.facecolor"] == before
    with pytest.raises(ArgumentError, match=r"no style 'drak'; did you mean 'dark'\?"):
        plot.style("drak").__enter__()


def test_importing_the_plots_does_not_import_matplotlib():
    script = "import sys, minigrad.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install \"minigrad-engine\[plot\]\""):
        plot.cost([1.0, 2.0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: plt.figure(), "a figure is not an Axes; pass ax=figure.add_subplot"),
        (lambda: plt.subplots(1, 2)[1], r"such as ax=axes\[0\]"),
        (lambda: "here", "not str: make one with"),
    ],
)
def test_what_is_not_axes_is_refused(given, words):
    with pytest.raises(TypeError, match=words):
        plot.cost([1.0, 2.0], ax=given())


def test_numbers_are_written_as_they_are_read():
    given = [0, 0.1 + 0.2, 1e6, -1234.5, 1e-7, 2.5e15]
    written = ["0", "0.3", "1,000,000", "−1,234.5", "1e−07", "2.5e+15"]
    assert [theme.number(value) for value in given] == written


# Curves.


def test_a_history_has_axes_for_each_quantity():
    panels = plot.history(HISTORY)
    assert [axes.get_ylabel() for axes in panels] == ["loss", "accuracy"]
    assert [axes.get_xlabel() for axes in panels] == ["epoch", "epoch"]
    assert legend_of(panels[0]) == ["training", "validation"]
    np.testing.assert_array_equal(curve(panels[1], "validation").get_ydata(),
                                  HISTORY["val_accuracy"])  # fmt: skip
    np.testing.assert_array_equal(curve(panels[1], "training").get_xdata(), STEPS + 1)


def test_accuracy_is_in_percent():
    axes = plot.history({"accuracy": [0.955, 0.96]}, "accuracy")
    assert axes.yaxis.get_major_formatter()(0.955) == "95.5 %"
    assert axes.yaxis.get_major_formatter()(0.58) == "58 %"


def test_the_loss_comes_first():
    panels = plot.history({"accuracy": [0.5], "loss": [1.0], "val_accuracy": [0.4]})
    assert [axes.get_ylabel() for axes in panels] == ["loss", "accuracy"]


def test_a_history_of_one_name_or_one_axes_is_one_axes():
    _, axes = plt.subplots()
    assert plot.history({"loss": [2.0, 1.0]}, ax=axes) is axes
    assert plot.history(HISTORY, "accuracy").get_ylabel() == "accuracy"
    _, both = plt.subplots(1, 2)
    assert list(plot.history(HISTORY, ["accuracy", "loss"], ax=both)) == list(both)
    assert both[0].get_ylabel() == "accuracy"


def test_a_history_is_read_in_every_form():
    history = History()
    history.record(3, {"loss": 2.0, "val_loss": 3.0})
    history.record(4, {"loss": 1.0, "val_loss": 2.0})
    axes = plot.history(history, "loss")
    assert curve(axes, "training").get_xdata().tolist() == [4, 5]
    rows = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "test_loss": 2.0}]
    (axes,) = plot.history(rows)
    assert legend_of(axes) == ["training", "test"]
    np.testing.assert_array_equal(curve(axes, "test").get_ydata(), [np.nan, 2.0])
    tensors = {"loss": [minigrad.tensor(2.0, requires_grad=True), minigrad.tensor(1.0)]}
    assert curve(plot.history(tensors)[0], "training").get_ydata().tolist() == [2.0, 1.0]
    assert curve(plot.history({"loss": [np.inf, 1.0]})[0], "training").get_ydata()[1] == 1.0


def test_validation_of_every_other_epoch_lies_where_it_was_measured():
    history = History()
    for epoch in range(5):
        seen = {"val_loss": 1.0 * epoch} if epoch % 2 else {}
        history.record(epoch, {"loss": 1.0, **seen})
    foreign = SimpleNamespace(history=history.history, epoch=history.epoch)
    np.testing.assert_array_equal(
        curve(plot.history(foreign, "loss"), "validation").get_ydata(),
        [np.nan, 1.0, np.nan, 3.0, np.nan],
    )
    line = curve(plot.history(history, "loss"), "validation")
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 1.0, np.nan, 3.0, np.nan])
    assert line.get_marker() != ""  # no two values are neighbours, so there is no line to see


def test_one_epoch_has_one_tick():
    axes = plot.history({"loss": [0.5]}, "loss")
    axes.figure.canvas.draw()
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
    assert curve(axes, "training").get_marker() == "o"


def test_validation_can_be_left_out():
    axes = plot.history(HISTORY, "loss", validation=False)
    assert [line.get_label() for line in axes.lines] == ["training"]
    with pytest.raises(ArgumentError, match="only held-out values, val_loss"):
        plot.history({"val_loss": [1.0]}, validation=False)


@pytest.mark.parametrize(
    ("history", "options", "words"),
    [
        ({}, {}, "the record is empty; train at least one epoch"),
        (History(), {}, "the record is empty"),
        ({"loss": []}, {}, "the record is empty"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, {}, "'val_loss' has 1 values for 2 epochs"),
        ({"loss": [[1.0, 2.0], [1.0]]}, {}, "different lengths, 1, 2"),
        ({"loss": ["a"]}, {}, "'loss' must hold numbers"),
        (HISTORY, {"metrics": "acuracy"}, r"no metric 'acuracy'; did you mean 'accuracy'\?"),
        (HISTORY, {"metrics": []}, "names nothing"),
    ],
)
def test_a_history_that_cannot_be_drawn(history, options, words):
    with pytest.raises(ArgumentError, match=words):
        plot.history(history, **options)


def test_a_history_of_two_quantities_needs_two_axes():
    _, axes = plt.subplots()
    with pytest.raises(ArgumentError, match=r"2 quantities .* choose with metrics='loss'"):
        plot.history(HISTORY, ax=axes)
    with pytest.raises(TypeError, match=r"must be what fit.. returned, .* not float"):
        plot.history(1.0)


def test_an_ambiguous_validation_is_not_guessed():
    history = History()
    for epoch in range(10):
        history.record(epoch, {"loss": 1.0, **({"val_loss": 2.0} if epoch == 7 else {})})
    line = curve(plot.history(history, "loss"), "validation")
    assert np.flatnonzero(np.isfinite(line.get_ydata())).tolist() == [7]
    # Keras's own History does not say which epochs they were.
    history = SimpleNamespace(history=history.history, epoch=history.epoch)
    with pytest.raises(ArgumentError, match="'val_loss' has 1 values for 10 epochs; give one"):
        plot.history(history)


def test_costs_of_methods_share_an_axes():
    axes = plot.cost({"batch": DECAY, "stochastic": DECAY[:10]}, ylabel="log loss")
    assert legend_of(axes) == ["batch", "stochastic"]
    assert curve(axes, "stochastic").get_xdata().tolist() == list(range(1, 11))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("iteration", "log loss")
    assert plot.cost([2.0, 1.0]).get_legend() is None


def test_a_smoothed_cost_keeps_the_raw_one_behind_it():
    axes = plot.cost({"sgd": [1.0, 3.0, np.nan, 1.0]}, smoothing=0.5)
    raw, smooth = axes.lines
    np.testing.assert_array_equal(raw.get_ydata(), [1.0, 3.0, np.nan, 1.0])
    # (0.5 * 1 + 3) / 1.5, and (0.25 * 1 + 0.5 * 3 + 1) / 1.75: weights halve with age.
    np.testing.assert_allclose(smooth.get_ydata(), [1.0, 7 / 3, np.nan, 2.75 / 1.75], rtol=1e-12)
    assert raw.get_zorder() < smooth.get_zorder()
    assert legend_of(axes) == ["sgd"]


def test_costs_may_have_positions_and_a_logarithmic_axis():
    axes = plot.cost({"a": DECAY, "b": DECAY}, x={"a": STEPS / 30}, log=True)
    np.testing.assert_array_equal(curve(axes, "a").get_xdata(), STEPS / 30)
    assert axes.get_yscale() == "log"
    with pytest.raises(ArgumentError, match="the cost 0, which a logarithmic axis cannot show"):
        plot.cost({"a": [1.0, 0.0]}, log=True)
    with pytest.raises(ArgumentError, match="30 costs and 2 positions"):
        plot.cost({"a": DECAY}, x=[1, 2])
    with pytest.raises(ArgumentError, match=r"below 1, and is 1; try 0\.9"):
        plot.cost({"a": DECAY}, smoothing=1.0)
    with pytest.raises(ArgumentError, match="argument 'curves' is an empty dict"):
        plot.cost({})


def test_a_learning_rate_that_diverges_ends_at_the_top():
    axes = plot.learning_rates({1.0: [2.0, 3.0, 90.0], 0.1: [2.0, 1.0, 0.5]})
    assert legend_of(axes) == ["0.1", "1 (diverges)"]
    assert axes.get_legend().get_title().get_text() == "learning rate"
    assert axes.get_ylim() == pytest.approx((0.0, 2.7))
    gone = curve(axes, "1 (diverges)")
    np.testing.assert_allclose(gone.get_xydata(), [[1, 2], [1.7, 2.7]], rtol=1e-12)
    assert axes.lines[-1].get_marker() == "^"
    assert axes.lines[-1].get_xydata().tolist() == [pytest.approx([1.7, 2.7])]


def test_a_learning_rate_that_gives_nan_ends_with_a_cross():
    axes = plot.learning_rates({"too large": [2.0, 2.2, np.nan, np.nan], "right": [2.0, 1.0]})
    assert curve(axes, "too large (diverges)").get_xydata().tolist() == [[1.0, 2.0], [2.0, 2.2]]
    assert "x" in {line.get_marker() for line in axes.lines}
    with pytest.raises(ArgumentError, match="no curve begins with a finite loss"):
        plot.learning_rates({1.0: [np.nan]})
    with pytest.raises(TypeError, match="must be a dict from a learning rate"):
        plot.learning_rates([1.0])


def test_a_curve_that_comes_back_did_not_diverge():
    axes = plot.learning_rates({0.5: [2.0, 50.0, 1.0]})
    assert legend_of(axes) == ["0.5"]
    assert len(axes.lines) == 1


# What a model has learned.


def regions(axes):
    return np.asarray(axes.images[0].get_array())


@pytest.mark.parametrize(
    "answer",
    [
        lambda p: p[:, 0] > 0,
        lambda p: (p[:, 0] > 0).astype(int),
        lambda p: (p[:, 0] > 0).astype(float),
        lambda p: p[:, :1],
        lambda p: 1 / (1 + np.exp(-p[:, 0])),
        lambda p: np.stack([-p[:, 0], p[:, 0]], axis=1),
        lambda p: minigrad.tensor(p[:, 0]),
    ],
    ids=["booleans", "labels", "fractions", "scores", "probabilities", "columns", "tensor"],
)
def test_every_kind_of_answer_has_its_boundary(answer):
    axes = plot.decision_boundary(answer, [[-1.0, 0.0], [1.0, 1.0]], [0, 1], resolution=40)
    image = regions(axes)
    blue, orange = image[0, 0], image[0, -1]
    assert blue[2] > blue[0]  # class 0 is blue, on the left
    assert orange[0] > orange[2]
    (line,) = [found for found in axes.collections if isinstance(found, ContourSet)]
    assert abs(line.get_paths()[0].vertices[:, 0]).max() < 0.05
    assert legend_of(axes) == ["0", "1"]


def test_the_data_lie_on_the_boundary_plot_with_a_mark_for_each_class():
    axes = plot.decision_boundary(probability, RING, RING.sum(axis=1) > 0, labels=["no", "yes"])
    assert legend_of(axes) == ["no", "yes"]
    first, second = axes.get_legend().legend_handles
    assert not np.array_equal(first.get_paths()[0].vertices, second.get_paths()[0].vertices)
    drawn = np.concatenate([part.get_offsets() for part in axes.collections
                            if part.get_label() in ("no", "yes")])  # fmt: skip
    assert len(drawn) == len(RING)


def test_a_module_is_asked_in_eval_mode_and_left_as_it_was():
    seen = []

    class Side(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 3)
            self.frozen = nn.Dropout(0.5).eval()

        def forward(self, x):
            seen.append((self.training, x.dtype, minigrad.is_grad_enabled()))
            return self.linear(x)

    model = Side().train()
    model.frozen.eval()
    axes = plot.decision_boundary(model, minigrad.tensor(RING), np.eye(3)[np.arange(24) % 3])
    assert set(seen) == {(False, minigrad.float32, False)}
    assert model.training
    assert not model.frozen.training
    assert legend_of(axes) == ["0", "1", "2"]


def test_a_score_that_lies_between_0_and_1_is_no_probability():
    model = nn.Linear(2, 1)
    with minigrad.no_grad():
        model.weight.copy_(minigrad.tensor([[0.1, 0.0]]))
        model.bias.fill_(0.3)
    axes = plot.decision_boundary(model, [[-1.0, 0.0], [1.0, 1.0]], [0, 1], resolution=20)
    assert len(axes.collections) == 2  # the data: all scores are above 0, so there is no line
    assert (regions(axes)[..., 0] > regions(axes)[..., 2]).all()  # all is orange, the second class
    both = nn.Sequential(model, nn.Sigmoid())
    with minigrad.no_grad():
        model.bias.fill_(0.0)
    axes = plot.decision_boundary(both, [[-1.0, 0.0], [1.0, 1.0]], [0, 1], resolution=20)
    assert len(axes.collections) == 3


def test_an_estimator_says_its_classes():
    class Estimator:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, x):
            share = probability(x)
            return np.stack([1 - share, share], axis=1)

    axes = plot.decision_boundary(Estimator(), RING, np.where(RING.sum(axis=1) > 0, "yes", "no"))
    assert legend_of(axes) == ["no", "yes"]


@pytest.mark.parametrize(
    ("predict", "x", "y", "options", "words"),
    [
        (probability, np.ones((4, 3)), [0, 1, 0, 1], {}, r"two features, .* x\[:, \[0, 1\]\]"),
        (probability, np.ones((4, 1)), [0, 1, 0, 1], {}, "use function_fit.. for one feature"),
        (probability, RING, [0, 1], {}, "'x' has 24 samples and 'y' 2"),
        (probability, RING, np.arange(24) % 3, {}, "2 classes and 'y' has the 3 labels 0, 1, 2"),
        (lambda p: p[:, 0] * np.nan, RING, np.arange(24) % 2, {}, "'predict' gave nan"),
        (lambda p: np.ones(3), RING, np.arange(24) % 2, {}, r"'predict' gave shape \(3,\)"),
        (lambda p: p, RING, np.arange(24) % 2, {"threshold": 0.3}, "one number a sample"),
        (probability, RING, np.arange(24) % 2, {"labels": ["a"]}, "2 classes and 1 'labels'"),
        (lambda p: p[:, 0] > 0, RING, ["a", "b"] * 12, {}, "they must be the same"),
    ],
)
def test_a_boundary_that_cannot_be_drawn(predict, x, y, options, words):
    with pytest.raises(ArgumentError, match=words):
        plot.decision_boundary(predict, x, y, **options)
    assert plt.get_fignums() == []


def test_what_cannot_predict_is_refused():
    with pytest.raises(TypeError, match=r"a module, an estimator with predict.. or a function"):
        plot.decision_boundary("model", RING, np.arange(24) % 2)


def test_a_fit_shows_the_data_and_the_learned_curve():
    model = nn.Linear(1, 1)
    with minigrad.no_grad():
        model.weight.fill_(2.0)
        model.bias.fill_(0.0)
    axes = plot.function_fit(model, [1.0, 2.0, 3.0], [[2.1], [4.0], [5.9]])
    x, y = curve(axes, "learned").get_xydata().T
    np.testing.assert_allclose(y, 2 * x, rtol=1e-6)  # float32
    assert axes.collections[0].get_offsets().tolist() == [[1.0, 2.1], [2.0, 4.0], [3.0, 5.9]]
    assert legend_of(axes) == ["data", "learned"]
    with pytest.raises(ArgumentError, match="must have one feature"):
        plot.function_fit(model, np.ones((3, 2)), [1, 2, 3])
    with pytest.raises(ArgumentError, match="'x' has 3 values and 'y' 2"):
        plot.function_fit(model, [1, 2, 3], [1, 2])


def test_prediction_error_names_its_unit():
    axes = plot.prediction_error([1e6, 2e6], [[1.5e6], [2e6]], unit="rupees", name="price")
    assert axes.get_xlabel() == "true price (rupees)"
    assert axes.collections[1].get_offsets().tolist() == [[1e6, 1.5e6], [2e6, 2e6]]
    assert axes.get_xlim() == axes.get_ylim()


# Functions.


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("step", lambda x: x >= 0, lambda x: 0 * x),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        ("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        ("ReLU", lambda x: np.maximum(x, 0), lambda x: x > 0),
        ("softmax", lambda x: 1 / (1 + 2 * np.exp(-x)),
         lambda x: 2 * np.exp(-x) / (1 + 2 * np.exp(-x)) ** 2),
    ],
)  # fmt: skip
def test_an_activation_has_its_value_and_its_derivative(name, value, slope):
    axes = plot.activation(name)
    x, y = curve(axes, "f(x)").get_xydata().T
    # Double precision, but for the rounding of formulas that cancel.
    np.testing.assert_allclose(y, value(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(curve(axes, "f ′(x)").get_ydata(), slope(x), rtol=1e-9, atol=1e-12)


def test_activations_stand_side_by_side():
    panels = plot.activations(["relu", nn.SiLU(), minigrad.tanh, "softmax"])
    titles = [axes.get_title() for axes in panels]
    assert titles == ["ReLU", "SiLU", "tanh", "softmax of (x, 0, 0)"]
    assert len(panels[0].figure.axes) == 4  # the empty places are gone
    assert len({axes.get_ylim() for axes in panels}) == 1
    _, two = plt.subplots(1, 2)
    assert list(plot.activations(["relu", "elu"], ax=two)) == list(two)
    assert len(plot.activations()) == 9


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("relu7", r"no activation 'relu7'; did you mean 'relu'"),
        (lambda x: nn.functional.softmax(x, dim=0), "'<lambda>' is not elementwise"),
        (lambda x: x.sum(), "is not elementwise"),
        (lambda x: minigrad.tensor(x.detach().numpy() ** 2), "without a gradient"),
    ],
)
def test_an_activation_that_cannot_be_drawn(function, words):
    with pytest.raises(ArgumentError, match=words):
        plot.activation(function)
    assert plt.get_fignums() == []


def test_activations_need_a_list():
    for given in ("relu", []):
        with pytest.raises(ArgumentError, match=r"in a list, such as \[\"relu\", \"tanh\"\]"):
            plot.activations(given)
    with pytest.raises(TypeError, match="a name such as 'relu' or a function"):
        plot.activation(3)


def test_losses_are_drawn_against_the_prediction():
    axes = plot.losses(["mse", "mae"], target=1.0)
    x, y = curve(axes, "squared error").get_xydata().T
    np.testing.assert_allclose(y, (x - 1) ** 2, rtol=1e-12)
    np.testing.assert_allclose(curve(axes, "absolute error").get_ydata(), abs(x - 1), rtol=1e-12)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction", "loss")


def test_a_loss_of_probabilities_has_a_curve_for_each_target():
    axes = plot.losses("binary_crossentropy")
    x, y = curve(axes, "binary cross-entropy, y = 0").get_xydata().T
    np.testing.assert_allclose(y, -np.log1p(-x), rtol=1e-9)  # 1 - x is rounded on either side
    assert axes.get_xlabel() == "predicted probability"
    assert len(legend_of(plot.losses(["hinge", "squared_hinge"]))) == 4


def test_your_own_loss_may_average():
    axes = plot.losses({"mine": lambda p, t: ((p - t) ** 4).mean()}, target=[0.0, 1.0])
    assert legend_of(axes) == ["mine, y = 0", "mine, y = 1"]
    with pytest.raises(ArgumentError, match=r"no loss 'hubr'; did you mean 'huber"):
        plot.losses("hubr")
    with pytest.raises(ArgumentError, match="are different axes; draw these losses in two calls"):
        plot.losses(["mse", "hinge"])
    with pytest.raises(ArgumentError, match="one number for one prediction"):
        plot.losses({"many": lambda p, t: minigrad.stack([p, t])})
    with pytest.raises(ArgumentError, match="names no loss"):
        plot.losses([])


# Images.


def test_a_wrong_digit_is_marked_by_more_than_colour():
    axes = plot.digits(IMAGES, LABELS, GUESSES)
    assert [text.get_text() for text in axes.texts] == ["0", "1", "× 1", "is 2", "0", "1", "2"]
    widths = [patch.get_linewidth() for patch in axes.patches]
    assert [width > 2 for width in widths] == (LABELS != GUESSES).tolist()
    assert axes.texts[2].get_color() == to_hex(axes.patches[2].get_edgecolor())
    assert len(axes.images) == 6


def test_probabilities_say_how_sure_the_network_is():
    sure = np.full((6, 3), 0.1)
    sure[np.arange(6), GUESSES] = 0.8
    texts = [text.get_text() for text in plot.digits(IMAGES, LABELS, sure).texts]
    assert texts[:2] == ["0", "80 %"]
    names = ["T-shirt", "trouser", "pullover"]
    texts = [text.get_text() for text in plot.digits(IMAGES, LABELS, sure, classes=names).texts]
    assert texts[:6] == ["T-shirt", "80 %", "trouser", "80 %", "× trouser", "is pullover"]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 3, 8, 6)),
        np.zeros((2, 8, 6, 3), np.uint8),
        np.full((2, 8, 6, 3), 255.0),
        np.zeros((2, 1, 8, 6)),
        minigrad.zeros(2, 8, 6),
    ],
    ids=["channels first", "channels last", "bytes as floats", "one channel", "grey tensor"],
)
def test_images_come_in_every_layout(images):
    axes = plot.digits(images)
    assert axes.images[0].get_array().shape[:2] == (8, 6)
    left, right, bottom, top = axes.images[0].get_extent()
    assert (bottom - top) / (right - left) == pytest.approx(8 / 6)


@pytest.mark.parametrize("images", [np.eye(8, dtype=np.uint8)[None] * 16, np.eye(8)[None]])
def test_grey_images_use_the_whole_scale(images):
    image = plot.digits(images).images[0]
    assert image.get_clim() == (0, images.max())


def test_the_first_images_are_shown_in_rows():
    axes = plot.digits(np.zeros((70, 64)), np.arange(70) % 10, count=25, columns=5)
    assert len(axes.images) == 25
    assert axes.images[0].get_array().shape == (8, 8)
    assert axes.images[5].get_extent()[0] == axes.images[0].get_extent()[0]
    _, tall = plt.subplots(figsize=(2, 8))
    plot.digits(IMAGES, ax=tall)
    assert len({image.get_extent()[0] for image in tall.images}) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((IMAGES, [1, 2]), "there are 6 'images' and 2 'labels'"),
        ((IMAGES, LABELS, [1]), "there are 6 'images' and 1 'predictions'"),
        ((IMAGES[0, 0], None), r"has shape \(8,\); for one image pass image\[None\]"),
        ((np.zeros((0, 8, 8)),), "argument 'images' is empty"),
    ],
)
def test_images_that_cannot_be_drawn(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        plot.digits(*arguments)
    with pytest.raises(ArgumentError, match="label 2 has no name: argument 'classes' has 2"):
        plot.digits(IMAGES, LABELS, classes=["a", "b"])


def test_weights_are_coloured_alike_on_both_sides_of_zero():
    model = nn.Linear(16, 3)
    axes = plot.weights(model, (2, 8))
    assert [image.get_array().shape for image in axes.images] == [(2, 8)] * 3
    bound = abs(model.weight.detach().numpy()).max()
    for image in axes.images:
        assert image.get_clim() == pytest.approx((-bound, bound))
    assert to_hex(axes.images[0].get_cmap()(0.5)) == "#ffffff"
    assert len(plot.weights(nn.Conv2d(2, 3, 5)).images) == 6
    with pytest.raises(ArgumentError, match=r"15 weights, which is no square .* image_shape="):
        plot.weights(nn.Linear(15, 2))
    with pytest.raises(ArgumentError, match=r"image_shape \(3, 4\) has 12 pixels"):
        plot.weights(np.ones((2, 16)), (3, 4))
    two = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(ArgumentError, match=r"2 weights \(0.weight, 2.weight\); pass the one"):
        plot.weights(two)


def cells(axes):
    return [text.get_text() for text in axes.texts]


def test_a_confusion_matrix_counts():
    axes = plot.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0])
    assert cells(axes) == ["1", "1", "0", "0", "1", "0", "1", "0", "2"]
    assert axes.get_title() == "66.7 % of 6 right"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    scores = np.eye(3)[[0, 1, 1, 2, 2, 0]]
    assert cells(plot.confusion_matrix([0, 0, 1, 2, 2, 2], scores)) == cells(axes)
    absent = plot.confusion_matrix([0, 2], [0, 2], classes=["a", "b", "c"])
    assert len(cells(absent)) == 9
    assert [label.get_text() for label in absent.get_yticklabels()] == ["a", "b", "c"]
    assert cells(plot.confusion_matrix(["cat", "dog"], ["dog", "dog"])) == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("normalize", "expected"),
    [
        ("true", ["93 %", "6 %", "2 %"]),
        ("pred", ["93 %", "6 %", "0 %"]),
        ("all", ["6 %", "0 %", "0 %"]),
    ],
)
def test_a_confusion_matrix_in_shares(normalize, expected):
    assert cells(plot.confusion_matrix(MATRIX, normalize=normalize))[:3] == expected


@pytest.mark.parametrize("paper", ["light", "dark"])
def test_the_number_in_a_cell_is_legible_on_its_colour(paper):
    with plot.style(paper):
        axes = plot.confusion_matrix(MATRIX)
    drawn = axes.images[0]
    colors = drawn.cmap(drawn.norm(drawn.get_array())).reshape(9, 4)
    for text, color in zip(axes.texts, colors):
        assert abs(lightness(text.get_color()) - lightness(color[:3])) > 0.3, text


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([0, 1], [0]), {}, "'y_true' has 2 labels and 'y_pred' 1"),
        (([0, 1],), {}, r"has shape \(2,\); pass confusion_matrix\(y_true, y_pred\)"),
        ((MATRIX,), {"normalize": "rows"}, "'normalize' is 'rows'; known are 'true', 'pred'"),
        ((MATRIX,), {"classes": ["a"]}, "3 classes and 1 names"),
        (([[0, 0], [0, 0]],), {}, "all counts are zero"),
        (([[1, -1], [0, 2]],), {}, "numbers from 0 up"),
        ((["a"], [1]), {}, "both must be names or both numbers"),
    ],
)
def test_a_confusion_matrix_that_cannot_be_drawn(arguments, options, words):
    with pytest.raises(ArgumentError, match=words):
        plot.confusion_matrix(*arguments, **options)


# Descent.


def test_the_paths_lie_on_the_contours_with_start_and_minimum():
    axes = plot.descent(bowl, {"gd": path(0.02)}, minimum=(0, 0))
    assert legend_of(axes) == ["gd", "start", "minimum"]
    np.testing.assert_array_equal(curve(axes, "gd").get_xydata(), path(0.02))
    assert curve(axes, "start").get_xydata().tolist() == [[2.0, 1.0]]
    low, high = axes.get_xlim()
    assert low < 0 < 2 < high
    (lines,) = [part for part in axes.collections if len(part.get_edgecolor()) and part.levels[0]]
    ratios = lines.levels[1:] / lines.levels[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)  # spaced by a factor


def test_a_saddle_has_even_contours():
    axes = plot.descent(lambda x, y: x * x - y * y, [[1.0, 0.1], [0.5, 0.2], [0.2, 0.4]])
    steps = [np.diff(part.levels) for part in axes.collections]
    np.testing.assert_allclose(steps[1], steps[1][0], rtol=1e-9)


def test_a_path_that_runs_away_ends_at_the_frame():
    axes = plot.descent(bowl, {"good": path(0.02), "bad": path(0.11, 60)}, minimum=(0, 0))
    end = curve(axes, "bad").get_xydata()[-1]
    assert min(abs(end[1] - np.array(axes.get_ylim()))) == pytest.approx(0, abs=1e-9)
    assert np.ptp(axes.get_ylim()) < 20
    assert np.isfinite(axes.texts[0].xy).all()  # the arrow
    lost = np.array([[2.0, 1.0], [1.0, 0.5], [np.nan, np.nan]])
    axes = plot.descent(bowl, {"lost": lost}, minimum=(0, 0))
    assert curve(axes, "lost").get_xydata().tolist() == [[2.0, 1.0], [1.0, 0.5]]


def test_a_landscape_may_be_written_for_tensors_or_numpy():
    for sine in (minigrad.sin, np.sin):
        axes = plot.descent(lambda x, y, sine=sine: sine(x) + y * y, path(0.05))
        assert axes.get_legend() is not None
    points = [[minigrad.tensor(1.0), minigrad.tensor(2.0)], [0.5, 1.0]]
    plot.descent(bowl, points)


@pytest.mark.parametrize(
    ("function", "paths", "words"),
    [
        (bowl, {}, "argument 'paths' is empty"),
        (bowl, {"gd": np.ones((4, 3))}, r"path 'gd' must be points of two numbers"),
        (bowl, {"gd": [[np.nan, 1.0]]}, "which is no point"),
        (lambda x, y: x.sum(), {"gd": path(0.1)}, "it must work elementwise"),
    ],
)
def test_a_descent_that_cannot_be_drawn(function, paths, words):
    with pytest.raises(ArgumentError, match=words):
        plot.descent(function, paths)
    with pytest.raises(ArgumentError, match=re.escape("'minimum' must be a point (x, y)")):
        plot.descent(bowl, path(0.1), minimum=(0, 0, 0))


@pytest.mark.parametrize("columns", [None, 5])
def test_the_words_of_a_small_grid_of_digits_can_be_read(columns):
    figure = plt.figure(figsize=(6.4, 4.8), dpi=100, layout="constrained")
    axes = figure.subplots(2, 2)[0, 0]
    guesses = np.arange(20) % 10
    guesses[3] = 8
    plot.digits(np.ones((20, 8, 8)), np.arange(20) % 10, guesses, ax=axes, columns=columns)
    assert min(text.get_fontsize() for text in axes.texts) >= 5  # it was 3.9
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])
    for image in axes.images:
        assert not any(image.get_window_extent().shrunk(0.98, 0.98).overlaps(b) for b in boxes)


def test_the_legend_of_a_boundary_hides_no_point():
    points = np.stack(np.meshgrid(np.linspace(0, 1, 15), np.linspace(0, 1, 15)), -1).reshape(-1, 2)
    right = (points.sum(1) > 1).astype(int)

    def hidden(layout, labels):
        figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout=layout)
        plot.decision_boundary(lambda p: p.sum(1) - 1, points, right, ax=axes[0], labels=labels)
        figure.canvas.draw()
        box = axes[0].get_legend().get_window_extent()
        return box.count_contains(axes[0].transData.transform(points)), box, axes

    count, box, axes = hidden("constrained", ["first class", "second class"])
    assert count == 0
    assert not box.overlaps(axes[1].get_tightbbox())
    # Nobody makes room for it beside these axes.
    _, box, axes = hidden(None, ["first class", "second class"])
    assert box.overlaps(axes[0].get_window_extent())


BLANK = np.ones((2, 4, 4))
PAIRS = np.array([[0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: plot.digits(BLANK, count=0), "'count' must be at least 1, and is 0"),
        (lambda: plot.digits(BLANK, columns=0), "'columns' must be at least 1"),
        (lambda: plot.weights(BLANK, columns=-1), "'columns' must be at least 1"),
        (lambda: plot.digits(BLANK * np.nan), "pixels that are nan"),
        (lambda: plot.activation(nn.ReLU), r"is the class ReLU; make an instance: ReLU\(\)"),
        (lambda: plot.decision_boundary(nn.Linear, PAIRS, [0, 1]), "is the class Linear"),
        (
            lambda: plot.decision_boundary(np.sum, PAIRS * np.nan, [0, 1]),
            "'x' has values that are nan",
        ),
        (lambda: plot.confusion_matrix([0, 1], [0.25, 1.0]), "fractions such as 0.25; round"),
    ],
)
def test_more_first_mistakes_are_named(mistake, words):
    with pytest.raises((ArgumentError, TypeError), match=words):
        mistake()
