"""One sample of every plot, from data that a formula gives, for the tests to draw and look at."""

import numpy as np

from minigrad import plot

STEPS = np.arange(30)
DECAY = np.exp(-STEPS / 8)
WAVES = 0.05 * np.sin(12.9898 * STEPS**2)  # looks like noise, and is the same everywhere
ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
RING = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) * (1 + (np.arange(24) % 3))[:, None]
HISTORY = {
    "loss": DECAY + 0.05,
    "accuracy": 1 - 0.5 * DECAY,
    "val_loss": DECAY + 0.1 + 0.004 * STEPS,
    "val_accuracy": 0.95 - 0.5 * DECAY,
}
MATRIX = [[50, 3, 1], [4, 40, 12], [0, 9, 700]]
IMAGES = np.add.outer(np.arange(6), np.add.outer(np.arange(8), np.arange(8)) % 5) % 7 / 6.0
LABELS = np.array([0, 1, 2, 0, 1, 2])
GUESSES = np.array([0, 1, 1, 0, 1, 2])


def bowl(x, y):
    return x * x + 10 * y * y


def path(rate, count=25):
    """Gradient descent on the bowl from (2, 1)."""
    points = [np.array([2.0, 1.0])]
    for _ in range(count):
        points.append(points[-1] - rate * np.array([2.0, 20.0]) * points[-1])
    return np.array(points)


def probability(points):
    """A logistic unit: which side of a line a point is on."""
    return 1 / (1 + np.exp(-3 * (points[:, 0] + points[:, 1])))


def quadratic(x):
    return x * x + x


PLOTS = {
    "activation": lambda ax=None: plot.activation("gelu", ax=ax),
    "confusion_matrix": lambda ax=None: plot.confusion_matrix(MATRIX, ax=ax),
    "cost": lambda ax=None: plot.cost(
        {"batch": DECAY, "stochastic": DECAY + WAVES}, smoothing={"stochastic": 0.8}, ax=ax
    ),
    "decision_boundary": lambda ax=None: plot.decision_boundary(
        probability, RING, RING.sum(axis=1) > 0, ax=ax
    ),
    "decision_regions": lambda ax=None: plot.decision_boundary(
        lambda p: np.round(np.hypot(p[:, 0], p[:, 1])).clip(1, 3).astype(int) - 1,
        RING, np.arange(24) % 3, ax=ax,
    ),
    "descent": lambda ax=None: plot.descent(
        bowl, {"0.02": path(0.02), "0.09": path(0.09), "0.11": path(0.11)}, minimum=(0, 0), ax=ax
    ),
    "digits": lambda ax=None: plot.digits(IMAGES, LABELS, GUESSES, columns=3, ax=ax),
    "function_fit": lambda ax=None: plot.function_fit(
        lambda x: x * x + 1.1 * x, STEPS / 10 - 1.5, quadratic(STEPS / 10 - 1.5) + 4 * WAVES,
        truth=quadratic, ax=ax,
    ),
    "history": lambda ax=None: plot.history(HISTORY, "loss", ax=ax),
    "learning_rates": lambda ax=None: plot.learning_rates(
        {0.001: 2 * 0.99**STEPS, 0.1: 2 * 0.7**STEPS, 1.0: 2 * 1.3**STEPS}, ax=ax
    ),
    "losses": lambda ax=None: plot.losses(ax=ax),
    "prediction_error": lambda ax=None: plot.prediction_error(
        1e6 * (STEPS + 5), 1e6 * (STEPS + 5) * (1 + 4 * WAVES), unit="rupees", name="price", ax=ax
    ),
    "weights": lambda ax=None: plot.weights(np.sin(np.arange(4 * 36)).reshape(4, 36), ax=ax),
}  # fmt: skip
