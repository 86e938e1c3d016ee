"""The optimizers racing: through Rosenbrock's and Beale's valleys, and off a saddle."""

import math

import matplotlib.pyplot as plt
from settings import out, quick

import minigrad
from minigrad import optim, plot


def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def saddle(x, y):
    return x**2 - y**2


racers = {
    "GD": lambda p, rate: optim.SGD(p, lr=rate),
    "momentum": lambda p, rate: optim.SGD(p, lr=rate, momentum=0.9),
    "Nesterov": lambda p, rate: optim.SGD(p, lr=rate, momentum=0.9, nesterov=True),
    "Adagrad": lambda p, rate: optim.Adagrad(p, lr=0.5),
    "RMSprop": lambda p, rate: optim.RMSprop(p, lr=0.02),
    "Adam": lambda p, rate: optim.Adam(p, lr=0.05),
    "NAdam": lambda p, rate: optim.NAdam(p, lr=0.05),
}
# The function, the start, the minimum, the limits of the picture, the rate of plain descent.
courses = {
    "Rosenbrock": (rosenbrock, (-1.5, 2.0), (1.0, 1.0), ((-2, 2), (-1, 3)), 8e-4),
    "Beale": (beale, (0.7, 1.4), (3.0, 0.5), ((-1, 4), (-1.5, 2)), 4e-3),
    "saddle": (saddle, (-1.5, 1e-3), None, ((-2, 2), (-1.5, 1.5)), 2e-2),
}


def race(function, start, goal, make, rate, limit):
    """The points on the way to within 0.1 of the goal, or off the saddle, in `limit` steps."""
    point = minigrad.tensor(start, requires_grad=True)
    optimizer = make([point], rate)
    path = [start]
    while len(path) <= limit:
        x, y = path[-1]
        if abs(y) > 1 if goal is None else math.hypot(x - goal[0], y - goal[1]) < 0.1:
            return path
        optimizer.zero_grad()
        function(*point).backward()
        optimizer.step()
        path.append(tuple(point.tolist()))
    return path


limit = 100 if quick else 3000
figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
for ax, (name, (function, start, goal, limits, rate)) in zip(axes, courses.items(), strict=True):
    runs = {racer: race(function, start, goal, racers[racer], rate, limit) for racer in racers}
    steps = {racer: len(path) - 1 for racer, path in runs.items()}
    print(f"{name:10}", *(f"{racer} {steps[racer]}" for racer in sorted(steps, key=steps.get)))
    plot.descent(function, runs, ax=ax, minimum=goal, limits=limits)
    ax.set_title(name)
for ax in axes[:2]:
    ax.get_legend().remove()
print(f"steps to the finish; {limit} did not get there")
figure.savefig(out / "race.png")
