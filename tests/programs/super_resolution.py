"""Larger pictures from smaller ones by sub-pixel convolution."""

import math

from tests.programs.start import begin, digits


def main(torch):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self, upscale_factor):
            super().__init__()
            self.relu = nn.ReLU()
            self.conv1 = nn.Conv2d(1, 8, (5, 5), (1, 1), (2, 2))
            self.conv2 = nn.Conv2d(8, 6, (3, 3), (1, 1), (1, 1))
            self.conv3 = nn.Conv2d(6, upscale_factor**2, (3, 3), (1, 1), (1, 1))
            self.upscale_factor = upscale_factor

        def forward(self, x):
            x = self.relu(self.conv1(x))
            x = self.relu(self.conv2(x))
            return nn.functional.pixel_shuffle(self.conv3(x), self.upscale_factor)

    target = digits(torch, 16)[0]
    low = nn.functional.interpolate(target, scale_factor=0.5, mode="bilinear", align_corners=False)
    model = begin(torch, Net(2))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = criterion(model(low), target)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return [*losses, 10 * math.log10(1 / losses[-1])]
