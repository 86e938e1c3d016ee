"""A convolutional network on MNIST: 99 % of the test images right, in PyTorch's style."""

import matplotlib.pyplot as plt
from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import MNIST
from minigrad.utils.data import DataLoader, Subset

minigrad.manual_seed(0)
train, test = MNIST(train=True), MNIST(train=False)
if quick:
    train, test = Subset(train, range(2000)), Subset(test, range(1000))

model = nn.Sequential(
    nn.Conv2d(1, 16, 5), nn.MaxPool2d(2), nn.ReLU(),
    nn.Conv2d(16, 32, 5), nn.MaxPool2d(2), nn.ReLU(),
    nn.Flatten(), nn.Linear(32 * 4 * 4, 10),
)  # fmt: skip
epochs = 2 if quick else 5
optimizer = optim.Adam(model.parameters(), lr=2e-3)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
criterion = nn.CrossEntropyLoss()


def answers(dataset):
    """The predicted and the true labels."""
    model.eval()
    with minigrad.no_grad():
        parts = [(model(images).argmax(dim=1), labels) for images, labels in
                 DataLoader(dataset, batch_size=500)]  # fmt: skip
    return [minigrad.cat(side) for side in zip(*parts, strict=True)]


history = {"loss": [], "test_accuracy": []}
for epoch in range(1, epochs + 1):
    model.train()
    total = 0.0
    for images, labels in DataLoader(train, batch_size=64, shuffle=True):
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    schedule.step()
    predicted, true = answers(test)
    history["loss"].append(total / len(train))
    history["test_accuracy"].append((predicted == true).float().mean().item())
    print(f"epoch {epoch}  loss {history['loss'][-1]:.3f}", end="  ")
    print(f"test accuracy {history['test_accuracy'][-1]:.2%}")

figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
plot.history(history, ax=axes[:2])
plot.confusion_matrix(true, predicted, ax=axes[2])
figure.savefig(out / "cnn_mnist.png")
