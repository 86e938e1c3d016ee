"""The digits that come with the package, as one writes it in PyTorch: a model, a loop, a test."""

from settings import out

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import Digits
from minigrad.utils.data import DataLoader


class Net(nn.Module):
    """Two convolutions and a linear layer, for images of 8 x 8."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.classify = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu())
        return self.classify(x.flatten(1))


def accuracy(model, loader):
    with minigrad.no_grad():
        right = [(model(images).argmax(dim=1) == labels).sum().item() for images, labels in loader]
    return sum(right) / len(loader.dataset)


minigrad.manual_seed(0)
training = DataLoader(Digits(train=True), batch_size=32, shuffle=True)
testing = DataLoader(Digits(train=False), batch_size=355)
model = Net()
optimizer = optim.Adam(model.parameters(), lr=5e-3)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
criterion = nn.CrossEntropyLoss()

for epoch in range(1, 7):
    total = 0.0
    for images, labels in training:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    schedule.step()
    total /= len(training.dataset)
    print(f"epoch {epoch}  loss {total:.1f}  test accuracy {accuracy(model, testing):.0%}")

images, labels = testing.dataset.gather(range(20))
ax = plot.digits(images, labels, model(images).softmax(dim=1))
ax.figure.savefig(out / "digits.png")
