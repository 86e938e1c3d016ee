"""Training that stops in the middle, is written to a file, read again, and goes on."""

import io

from tests.programs.start import begin, digits


def main(torch):
    nn, optim = torch.nn, torch.optim
    images, labels = digits(torch, 32)

    def make():
        layers = [nn.Linear(64, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10)]
        model = nn.Sequential(nn.Flatten(), *layers)
        optimizer = optim.Adam(begin(torch, model).parameters(), lr=0.01, betas=(0.8, 0.99))
        return model, optimizer, optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    def advance(model, optimizer, schedule, steps):
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        return losses

    parts = make()
    losses = advance(*parts, 5)
    buffer = io.BytesIO()
    names = ("model", "optimizer", "schedule")
    states = {name: part.state_dict() for name, part in zip(names, parts)}
    torch.save({"epoch": 5, "loss": losses[-1], **states}, buffer)
    expected = advance(*parts, 5)

    buffer.seek(0)
    checkpoint = torch.load(buffer, weights_only=True)
    assert checkpoint["epoch"] == 5
    parts = make()
    for name, part in zip(names, parts):
        part.load_state_dict(checkpoint[name])
    assert advance(*parts, 5) == expected
    parts[0].eval()
    with torch.inference_mode():
        final = nn.functional.cross_entropy(parts[0](images), labels).item()
    return [*losses, *expected, final]
