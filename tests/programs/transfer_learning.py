"""Transfer learning: a network is trained, frozen, and given a new last layer for other classes."""

import copy

from tests.programs.start import begin, digits


def train(torch, model, images, labels, optimizer, scheduler, epochs):
    criterion = torch.nn.CrossEntropyLoss()
    best, best_loss, losses = copy.deepcopy(model.state_dict()), float("inf"), []
    for _ in range(epochs):
        for phase in ("train", "val"):
            model.train(phase == "train")
            rows = slice(0, 48) if phase == "train" else slice(48, None)
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(images[rows])
                loss = criterion(outputs, labels[rows])
                if phase == "train":
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    scheduler.step()
            losses.append(loss.item())
            if phase == "val" and loss.item() < best_loss:
                best, best_loss = copy.deepcopy(model.state_dict()), loss.item()
    model.load_state_dict(best)
    return losses


def main(torch):
    nn, optim = torch.nn, torch.optim
    images, labels = digits(torch)
    features = nn.Sequential(
        nn.Conv2d(1, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.Flatten(),
    )
    model = begin(torch, nn.Sequential(features, nn.Linear(32, 10)))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
    losses = train(torch, model, images, labels, optimizer, scheduler, 6)
    for param in model.parameters():
        param.requires_grad = False
    model[1] = begin(torch, nn.Linear(32, 2), seed=1)
    optimizer = optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=0.01)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
    losses += train(torch, model, images, labels % 2, optimizer, scheduler, 6)
    assert model[0][0].weight.grad is None or not model[0][0].weight.requires_grad
    return losses
