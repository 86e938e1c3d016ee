"""Training on a GPU: the same program with `.to(device)`, beside the CPU, or there alone."""

import time

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import Digits
from minigrad.utils.data import DataLoader


def train(device, epochs):
    """The mean loss of each epoch, when it was reached in seconds, and the test accuracy."""
    minigrad.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 4 * 4, 10),
    ).to(device)  # fmt: skip
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    losses, seconds = [], []
    start = time.perf_counter()
    for _ in range(epochs):
        total = minigrad.zeros((), device=device)  # kept there: reading a number waits for the GPU
        for images, labels in DataLoader(Digits(), batch_size=128, shuffle=True):
            images, labels = images.to(device), labels.to(device)
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(labels)
        losses.append(total.item() / len(Digits()))
        seconds.append(time.perf_counter() - start)
    test = Digits(train=False)
    images, labels = test.gather(range(len(test)))
    with minigrad.no_grad():
        right = model(images.to(device)).argmax(dim=1).cpu() == labels
    return losses, seconds, right.float().mean().item()


devices = ["cpu", "cuda"] if minigrad.cuda.is_available() else ["cpu"]
if devices == ["cpu"]:
    print("there is no GPU here that CuPy can use: training on the CPU")

curves, times = {}, {}
for device in devices:
    curves[device], times[device], accuracy = train(device, epochs=2 if quick else 10)
    print(f"{device:4}  loss {curves[device][-1]:.2f}  test accuracy {accuracy:.0%}")

ax = plot.cost(curves, x=times, xlabel="seconds", ylabel="loss")
ax.figure.savefig(out / "gpu.png")
