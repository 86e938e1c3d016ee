"""A convolutional network on a subset of CIFAR-10: two of three test images right after seeing only
4,000 images, each shifted and mirrored in ever new ways.
"""

import matplotlib.pyplot as plt
from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import CIFAR10
from minigrad.utils.data import DataLoader, Subset


def block(inputs, outputs):
    """Features from 3 x 3 pixels, at half the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2),
    )  # fmt: skip


def vary(images):
    """Mirror every other image, and shift each by up to four pixels."""
    count = len(images)
    mirrored = minigrad.rand(count, 1, 1, 1) < 0.5
    images = nn.functional.pad(minigrad.where(mirrored, images.flip(3), images), (4, 4, 4, 4))
    rows, columns = minigrad.randint(0, 9, (2, count, 1)) + minigrad.arange(32)
    sample = minigrad.arange(count)[:, None, None, None]
    channel = minigrad.arange(3)[None, :, None, None]
    return images[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]


minigrad.manual_seed(0)
train, test = CIFAR10(train=True, subset=True), CIFAR10(train=False, subset=True)
if quick:
    train, test = Subset(train, range(640)), Subset(test, range(200))
epochs, batch = (2, 32) if quick else (20, 32)

model = nn.Sequential(block(3, 16), block(16, 32), block(32, 64), nn.Flatten(), nn.Linear(1024, 10))
optimizer = optim.AdamW(model.parameters(), lr=3e-3)
steps = epochs * len(train) // batch
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
test_images, test_labels = next(iter(DataLoader(test, batch_size=len(test))))

history = {"loss": [], "test_accuracy": []}
for epoch in range(1, epochs + 1):
    model.train()
    total = 0.0
    for images, labels in DataLoader(train, batch_size=batch, shuffle=True):
        loss = nn.functional.cross_entropy(model(vary(2 * images - 1)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * len(labels)
    model.eval()
    with minigrad.no_grad():
        predicted = model(2 * test_images - 1).argmax(dim=1)
    history["loss"].append(total / len(train))
    history["test_accuracy"].append((predicted == test_labels).float().mean().item())
    print(f"epoch {epoch:2}  loss {history['loss'][-1]:.2f}", end="  ")
    print(f"test accuracy {history['test_accuracy'][-1]:.1%}")

figure, axes = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
plot.history(history, ax=axes[:2])
plot.confusion_matrix(test_labels, predicted, ax=axes[2], classes=CIFAR10.classes)
figure.savefig(out / "cnn_cifar10.png")
