"""Handwritten digits by a convolutional network with Adadelta, learning rates falling by steps."""

from tests.programs.start import begin, digits


def main(torch):
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 8, 3, 1)
            self.conv2 = nn.Conv2d(8, 12, 3, 1)
            self.dropout1 = nn.Dropout(0.0)
            self.fc1 = nn.Linear(48, 32)
            self.fc2 = nn.Linear(32, 10)

        def forward(self, x):
            x = F.relu(self.conv1(x))
            x = F.relu(self.conv2(x))
            x = F.max_pool2d(x, 2)
            x = self.dropout1(x)
            x = torch.flatten(x, 1)
            x = F.relu(self.fc1(x))
            return F.log_softmax(self.fc2(x), dim=1)

    images, labels = digits(torch, 60)
    train, test = (images[:40], labels[:40]), (images[40:], labels[40:])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = begin(torch, Net()).to(device)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    losses = []
    for _ in range(3):
        model.train()
        for data, target in zip(train[0].split(10), train[1].split(10)):
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            output = model(test[0].to(device))
            losses.append(F.nll_loss(output, test[1], reduction="sum").item() / 20)
            pred = output.argmax(dim=1, keepdim=True)
            losses.append(float(pred.eq(test[1].view_as(pred)).sum().item()))
        scheduler.step()
    return losses
