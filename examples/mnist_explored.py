"""MNIST explored: its shapes, its values, how often each digit comes, the first ten of them."""

import matplotlib.pyplot as plt
from settings import out

from minigrad import plot
from minigrad.datasets import MNIST

train, test = MNIST(train=True), MNIST(train=False)
for name, part in {"train": train, "test": test}.items():
    print(f"{name:5}  images {tuple(part.data.shape)} {part.data.dtype}", end="  ")
    print(f"labels {tuple(part.targets.shape)} {part.targets.dtype}")

pixels = train.data.float() / 255
print(f"values {train.data.min().item()} to {train.data.max().item()};", end=" ")
print(f"divided by 255: mean {pixels.mean().item():.4f}, deviation {pixels.std().item():.4f}")
print(f"{(train.data == 0).float().mean().item():.0%} of the pixels are black")

counts = [(train.targets == digit).sum().item() for digit in range(10)]
print("digit ", *(f"{digit:5}" for digit in range(10)))
print("images", *(f"{count:5}" for count in counts))
print("the first ten labels:", train.targets[:10].tolist())

figure, (above, below) = plt.subplots(2, 1, figsize=(9, 3.2), layout="constrained")
plot.digits(train.data[:10], train.targets[:10], ax=above)
means = [pixels[train.targets == digit].mean(dim=0) for digit in range(10)]
plot.digits(means, range(10), ax=below)
above.set_title("the first ten", loc="left")
below.set_title("the mean of each digit", loc="left")
figure.savefig(out / "mnist_explored.png")
