"""Plots of training, of what a model has learned and of the functions it is made of.

Each function draws on the Axes `ax`, or on a figure of its own, and gives the Axes back; none
shows, saves or closes a figure. Tensors, arrays and lists are all welcome. The colours follow the
paper, so every plot is legible under matplotlib's `dark_background` and within `style("dark")`.
matplotlib is needed on first use: pip install "minigrad-engine[plot]".
"""

from __future__ import annotations

from minigrad.plot.boundary import decision_boundary, function_fit, prediction_error
from minigrad.plot.curves import cost, history, learning_rates
from minigrad.plot.functions import activation, activations
from minigrad.plot.images import digits, weights
from minigrad.plot.landscape import descent
from minigrad.plot.loss_curves import losses
from minigrad.plot.matrix import confusion_matrix
from minigrad.plot.theme import style

__all__ = [
    "activation",
    "activations",
    "confusion_matrix",
    "cost",
    "decision_boundary",
    "descent",
    "digits",
    "function_fit",
    "history",
    "learning_rates",
    "losses",
    "prediction_error",
    "style",
    "weights",
]
