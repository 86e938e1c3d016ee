"""A polynomial of degree four found by descent on batches, without an optimizer."""

from tests.programs.start import begin, generator, given


def main(torch):
    rng = generator(17)
    degree = 4
    w_target = given(torch, rng.normal(size=(degree, 1)) * 5)
    b_target = given(torch, rng.normal(size=1) * 5)

    def make_features(x):
        x = x.unsqueeze(1)
        return torch.cat([x**i for i in range(1, degree + 1)], 1)

    def get_batch():
        x = make_features(given(torch, rng.uniform(-1, 1, 32)))
        return x, x.mm(w_target) + b_target[0]

    fc = begin(torch, torch.nn.Linear(degree, 1))
    losses = []
    for _ in range(40):
        batch_x, batch_y = get_batch()
        fc.zero_grad()
        output = torch.nn.functional.smooth_l1_loss(fc(batch_x), batch_y)
        output.backward()
        losses.append(output.item())
        for param in fc.parameters():
            param.data.add_(-0.1 * param.grad)
    learned = [*fc.weight.view(-1).tolist(), *fc.bias.tolist()]
    assert f"{losses[-1]:+.2f}".startswith("+")
    return losses + learned
