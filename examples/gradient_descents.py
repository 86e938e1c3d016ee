"""Batch, stochastic and mini-batch gradient descent on who buys insurance and what homes cost."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out, quick

from minigrad import plot
from minigrad.datasets import HomePrices, Insurance
from minigrad.sklearn import LinearRegressionGD, LogisticRegressionGD

METHODS = ("batch", "stochastic", "mini-batch")
epochs = 50 if quick else 500


class MinMaxScaler:
    """Brings each column to [0, 1]: (x - smallest) / (largest - smallest)."""

    def fit_transform(self, x):
        self.low, self.span = x.min(axis=0), np.ptp(x, axis=0)
        return (x - self.low) / self.span

    def transform(self, x):
        return (x - self.low) / self.span

    def inverse_transform(self, x):
        return x * self.span + self.low


def compare(estimator, x, y, rate):
    """Train by each method: the fitted estimators, their costs, one line for each."""
    fitted = {}
    for method in METHODS:
        made = estimator(method=method, learning_rate=rate, max_iter=epochs, batch_size=5,
                         init="ones", random_state=0)  # fmt: skip
        fitted[method] = made.fit(x, y)
        w, b = np.ravel(made.coef_).round(3).tolist(), float(np.ravel(made.intercept_)[0])
        steps = len(made.cost_history_)
        print(f"{method:11} {steps:6} steps  cost {made.loss_curve_[-1]:.5f}  w {w}  b {b:.3f}")
    return fitted


print(f"insurance, logistic regression, {epochs} epochs")
data = Insurance(affordability=True)
x, bought = data.values[:, :2].copy(), data.values[:, 2].astype(int)
x[:, 0] /= 100  # the age in centuries lies in [0, 1] like the other column
insurance = compare(LogisticRegressionGD, x, bought, 0.5)
for age, affordable in ((25, 1), (47, 1), (60, 0)):
    chance = insurance["batch"].predict_proba([[age / 100, affordable]])[0, 1]
    print(f"  age {age}, can{'' if affordable else 'not'} afford it: buys with {chance:.0%}")

print(f"home prices in Bangalore, linear regression, {epochs} epochs")
table = HomePrices().values
inputs, prices = MinMaxScaler(), MinMaxScaler()
x, y = inputs.fit_transform(table[:, :2]), prices.fit_transform(table[:, 2:])[:, 0]
homes = compare(LinearRegressionGD, x, y, 0.05)
for area, bedrooms in ((2600, 4), (1000, 2), (1500, 3)):
    scaled = homes["mini-batch"].predict(inputs.transform(np.array([[area, bedrooms]])))
    rupees = 1e5 * prices.inverse_transform(scaled)[0]
    print(f"  {area} square feet, {bedrooms} bedrooms: {rupees:,.0f} rupees")

figure, axes = plt.subplots(2, 2, figsize=(11, 7.4), layout="constrained")
for row, title, fitted in ((0, "Insurance", insurance), (1, "Home prices", homes)):
    costs = {name: made.cost_history_[:150] for name, made in fitted.items()}
    plot.cost(costs, ax=axes[row, 0], smoothing=0.8).set_title(f"{title}: the first 150 steps")
    costs = {name: made.loss_curve_ for name, made in fitted.items()}
    plot.cost(costs, ax=axes[row, 1], log=True).set(title=f"{title}: by epoch", xlabel="epoch")
figure.savefig(out / "gradient_descents.png")
