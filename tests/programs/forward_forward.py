"""Layers that each learn by themselves from good and bad examples, the forward-forward way."""

from tests.programs.start import begin, digits, generator, given


def main(torch):
    nn = torch.nn

    def overlay(x, y):
        x_ = x.clone()
        x_[:, :10] *= 0.0
        x_[range(x.shape[0]), y] = x.max()
        return x_

    class Layer(nn.Linear):
        def __init__(self, in_features, out_features):
            super().__init__(in_features, out_features)
            self.relu = nn.ReLU()
            self.threshold = 1.5
            self.opt = torch.optim.Adam(self.parameters(), lr=0.02)

        def forward(self, x):
            x_direction = x / (x.norm(2, 1, keepdim=True) + 1e-4)
            return self.relu(torch.mm(x_direction, self.weight.T) + self.bias.unsqueeze(0))

        def train_once(self, x_pos, x_neg):
            g_pos = self.forward(x_pos).pow(2).mean(1)
            g_neg = self.forward(x_neg).pow(2).mean(1)
            both = torch.cat([-g_pos + self.threshold, g_neg - self.threshold])
            loss = torch.log(1 + torch.exp(both)).mean()
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            return loss.item(), self.forward(x_pos).detach(), self.forward(x_neg).detach()

    images, labels = digits(torch, 40)
    x = images.flatten(1)
    wrong = given(torch, (generator(29).permutation(10)))[labels]
    x_pos, x_neg = overlay(x, labels), overlay(x, wrong)
    layers = nn.ModuleList([Layer(64, 24), Layer(24, 24)])
    begin(torch, layers)
    losses = []
    for _ in range(6):
        h_pos, h_neg = x_pos, x_neg
        for layer in layers:
            loss, h_pos, h_neg = layer.train_once(h_pos, h_neg)
            losses.append(loss)
    goodness = []
    for label in range(10):
        h, total = overlay(x, torch.full((40,), label)), 0
        for layer in layers:
            h = layer(h)
            total = total + h.pow(2).mean(1)
        goodness.append(total.unsqueeze(1))
    predicted = torch.cat(goodness, 1).argmax(1)
    return [*losses, 1.0 - predicted.eq(labels).float().mean().item()]
