"""Saving, loading, resuming: a run that was stopped halfway ends with the very same weights."""

import os

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import Digits
from minigrad.utils.data import DataLoader

epochs = 4 if quick else 8
path = out / "resume.safetensors"
data = DataLoader(Digits(), batch_size=32, shuffle=True)


class Run:
    """A network, its optimizer, its schedule, and how far they are."""

    def __init__(self):
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        self.optimizer = optim.Adam(self.model.parameters(), lr=5e-3)
        self.schedule = optim.lr_scheduler.ExponentialLR(self.optimizer, 0.8)
        self.losses = []

    def train(self, until):
        while len(self.losses) < until:
            total = 0.0
            for images, labels in data:
                loss = nn.functional.cross_entropy(self.model(images), labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(labels)
            self.schedule.step()
            self.losses.append(total / len(data.dataset))

    def save(self, path):
        parts = {name: part.state_dict() for name, part in vars(self).items() if name != "losses"}
        minigrad.save({**parts, "losses": self.losses, "rng": minigrad.get_rng_state()}, path)

    def load(self, path):
        state = minigrad.load(path)
        self.losses = state.pop("losses")
        minigrad.set_rng_state(state.pop("rng"))  # the order of the next batches depends on it
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


minigrad.manual_seed(0)
whole = Run()
whole.train(until=epochs)

minigrad.manual_seed(0)
first = Run()
first.train(until=epochs // 2)
first.save(path)
print(f"stopped after {epochs // 2} epochs; the file has {os.path.getsize(path) / 1024:.0f} kB")

minigrad.manual_seed(1)  # another process would know nothing of the first seed
second = Run()
second.load(path)
second.train(until=epochs)

for name, run in {"never stopped": whole, "resumed": second}.items():
    print(f"{name:13}  loss {run.losses[-1]:.3f} after {len(run.losses)} epochs")
pairs = zip(whole.model.parameters(), second.model.parameters(), strict=True)
print("all weights equal, bit for bit:", all(a.equal(b) for a, b in pairs))

later = range(epochs // 2, epochs)
curves = {"never stopped": whole.losses, "resumed": [second.losses[epoch] for epoch in later]}
ax = plot.cost(curves, x={"resumed": [epoch + 1 for epoch in later]}, ylabel="loss")
ax.set_xlabel("epoch")
ax.figure.savefig(out / "resume.png")
