"""Two pictures through one network, which says whether they are of one kind."""

from tests.programs.start import begin, digits, generator, given


def main(torch):
    nn = torch.nn
    images, labels = digits(torch, 48)
    pairs = generator(19).integers(0, 48, (64, 2))

    class SiameseNetwork(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(start_dim=1)
            )
            self.fc = nn.Sequential(nn.Linear(108, 16), nn.ReLU(inplace=True), nn.Linear(16, 1))
            self.sigmoid = nn.Sigmoid()
            self.features.apply(self.init_weights)

        def init_weights(self, m):
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.constant_(m.bias, 0.01)

        def forward_once(self, x):
            output = self.features(x)
            return output.view(output.size()[0], -1)

        def forward(self, input1, input2):
            output = torch.cat((self.forward_once(input1), self.forward_once(input2)), 1)
            return self.sigmoid(self.fc(output))

    model = begin(torch, SiameseNetwork())
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    losses = []
    for batch in given(torch, pairs).split(16):
        first, second = batch[:, 0], batch[:, 1]
        target = (labels[first] == labels[second]).to(images.dtype)
        optimizer.zero_grad()
        outputs = model(images[first], images[second]).squeeze()
        loss = criterion(outputs, target)
        loss.backward()
        optimizer.step()
        pred = torch.where(outputs > 0.5, 1, 0)
        losses += [loss.item(), pred.eq(target.view_as(pred)).sum().item()]
    return losses
