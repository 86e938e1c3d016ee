"""The loop of training and testing over a Dataset of one's own, with transforms and accuracy."""

from tests.programs.start import begin, digits


def main(torch):
    nn, data = torch.nn, torch.utils.data

    class Pictures(data.Dataset):
        def __init__(self, transform=None, target_transform=None):
            self.images, self.labels = digits(torch, 48)
            self.transform, self.target_transform = transform, target_transform

        def __len__(self):
            return len(self.labels)

        def __getitem__(self, idx):
            image, label = self.images[idx], self.labels[idx]
            if self.transform:
                image = self.transform(image)
            if self.target_transform:
                label = self.target_transform(label)
            return image, label

    class NeuralNetwork(nn.Module):
        def __init__(self):
            super().__init__()
            self.flatten = nn.Flatten()
            self.linear_relu_stack = nn.Sequential(
                nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10)
            )

        def forward(self, x):
            return self.linear_relu_stack(self.flatten(x))

    def one_hot(label):
        zeros = torch.zeros(10)
        return zeros.scatter_(0, torch.tensor(int(label)), value=1)

    dataset = Pictures(lambda image: (image - image.mean()) / image.std(), one_hot)
    loader = data.DataLoader(dataset, batch_size=10, drop_last=True)
    model = begin(torch, NeuralNetwork())
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    losses = []
    for _ in range(3):
        model.train()
        for x, y in loader:
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        model.eval()
        test_loss, correct = 0.0, 0.0
        with torch.no_grad():
            for x, y in loader:
                pred = model(x)
                test_loss += loss_fn(pred, y).item()
                hits = (pred.argmax(1) == y.argmax(1)).type(torch.float)
                correct += hits.sum().item()
        losses += [test_loss / len(loader), correct / len(dataset)]
    return losses
