"""A small convolutional classifier, trained for two epochs and tested by class."""

from tests.programs.start import begin, digits


def main(torch):
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 3)
            self.pool = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
            self.fc1 = nn.Linear(8 * 3 * 3, 24)
            self.fc2 = nn.Linear(24, 10)

        def forward(self, x):
            x = self.pool(F.relu(self.conv1(x)))
            x = F.relu(self.conv2(x))
            x = torch.flatten(x, 1)
            return self.fc2(F.relu(self.fc1(x)))

    images, labels = digits(torch)
    dataset = torch.utils.data.TensorDataset(images, labels)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=False, num_workers=0)
    net = begin(torch, Net())
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(3):
        running = 0.0
        for i, data in enumerate(loader, 0):
            inputs, targets = data
            optimizer.zero_grad()
            loss = criterion(net(inputs), targets)
            loss.backward()
            optimizer.step()
            running += loss.item()
            if i % 2 == 1:
                losses.append(running / 2)
                running = 0.0
    correct = dict.fromkeys(range(10), 0)
    with torch.no_grad():
        for inputs, targets in loader:
            _, predictions = torch.max(net(inputs), 1)
            for label, prediction in zip(targets, predictions):
                if label == prediction:
                    correct[label.item()] += 1
    return [*losses, *map(float, correct.values())]
