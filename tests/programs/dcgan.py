"""A generator and a discriminator of convolutions that play against each other."""

from tests.programs.start import begin, digits, generator, given


def main(torch):
    nn = torch.nn
    noise = generator(5)
    net_g = nn.Sequential(
        nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(True),
        nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    net_d = nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(8, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    begin(torch, net_g)
    begin(torch, net_d, seed=1)
    images = torch.tanh(digits(torch, 32)[0])
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=0.002, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=0.002, betas=(0.5, 0.999))
    seen = []
    for real in images.split(8):
        size = real.size(0)
        net_d.zero_grad()
        label = torch.full((size,), 1.0)
        err_real = criterion(net_d(real).view(-1), label)
        err_real.backward()
        fake = net_g(given(torch, noise.normal(size=(size, 6, 1, 1))))
        label.fill_(0.0)
        err_fake = criterion(net_d(fake.detach()).view(-1), label)
        err_fake.backward()
        optimizer_d.step()
        net_g.zero_grad()
        label.fill_(1.0)
        err_g = criterion(net_d(fake).view(-1), label)
        err_g.backward()
        optimizer_g.step()
        seen += [(err_real + err_fake).item(), err_g.item()]
    with torch.no_grad():
        seen.append(net_g(given(torch, noise.normal(size=(4, 6, 1, 1)))).std().item())
    return seen
