"""The loss functions, each beside its formula in NumPy; and log loss with and without epsilon."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out

import minigrad
from minigrad import plot
from minigrad.nn import functional as F

truth = np.array([3.0, -0.5, 2.0, 7.0])
guess = np.array([2.5, 0.0, 2.0, 8.0])
label = np.array([1.0, 0.0, 1.0, 1.0])
chance = np.array([0.9, 0.2, 0.8, 0.4])
scores = np.array([[2.0, 1.0, 0.1], [0.5, 2.5, -1.0]])
classes = np.array([0, 2])
softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
one_hot = np.eye(3)[classes]

pairs = {
    "mean squared error": (F.mse_loss, guess, truth, ((guess - truth) ** 2).mean()),
    "mean absolute error": (F.l1_loss, guess, truth, abs(guess - truth).mean()),
    "binary cross-entropy": (
        F.binary_cross_entropy, chance, label,
        -(label * np.log(chance) + (1 - label) * np.log(1 - chance)).mean(),
    ),
    "categorical (one-hot)": (
        F.cross_entropy, scores, one_hot, -(one_hot * np.log(softmax)).sum(axis=1).mean(),
    ),
    "sparse categorical": (
        F.cross_entropy, scores, classes, -np.log(softmax[np.arange(2), classes]).mean(),
    ),
}  # fmt: skip
for name, (loss, prediction, target, formula) in pairs.items():
    value = loss(minigrad.from_numpy(prediction), minigrad.from_numpy(target)).item()
    print(f"{name:22} {value:.6f}   by its formula {formula:.6f}")
    assert abs(value - formula) < 1e-12


def log_loss(p, y, epsilon):
    p = p.clamp(epsilon, 1 - epsilon)
    return -(y * p.log() + (1 - y) * (1 - p).log())


print("\nlog loss of p, where 1 is right:")
for p in (0.5, 1e-3, 0.0, 1.0):
    sure = minigrad.tensor(p, dtype=minigrad.float64, requires_grad=True)
    raw, safe = log_loss(sure, 1, 0.0), log_loss(sure, 1, 1e-15)
    raw.backward()
    print(f"p = {p:<6} without epsilon {raw.item():<8.4f} slope {sure.grad.item():<9.4g}", end=" ")
    print(f"with epsilon = 1e-15 {safe.item():.4f}")
print("One certain mistake makes the mean infinite, and 0 * log(0) is nan even where p is right.")
logit = minigrad.tensor(-1000.0)
stable = F.binary_cross_entropy_with_logits(logit, minigrad.tensor(1.0)).item()
print(f"From the logit -1000, of which p is 0.0, the loss is {stable:.1f}: nothing was rounded.")

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
plot.losses(ax=axes[0])
p = np.linspace(-0.02, 0.1, 1201)
shown = minigrad.from_numpy(p.clip(0, 1))
curves = {f"epsilon = {epsilon:g}": log_loss(shown, 1, epsilon) for epsilon in (1e-15, 1e-7, 1e-2)}
labels = {"xlabel": "probability of the right answer", "ylabel": "log loss"}
plot.cost(curves, x=p, ax=axes[1], **labels)
figure.savefig(out / "losses.png")
