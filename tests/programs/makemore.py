"""The next character from the last three: embeddings, a layer, normalisation by hand."""

from tests.programs.start import characters, generator, given


def main(torch):
    F = torch.nn.functional
    text, vocabulary = characters(torch)
    rng = generator(37)
    xs = torch.stack([text[i : i + 3] for i in range(len(text) - 3)])
    ys = text[3:]
    C = given(torch, rng.normal(size=(vocabulary, 4)))
    W1 = given(torch, rng.normal(size=(12, 20)) * (5 / 3) / 12**0.5)
    W2 = given(torch, rng.normal(size=(20, vocabulary)) * 0.01)
    b2 = torch.zeros(vocabulary)
    gain, bias = torch.ones((1, 20)), torch.zeros((1, 20))
    mean_running, std_running = torch.zeros((1, 20)), torch.ones((1, 20))
    parameters = [C, W1, W2, b2, gain, bias]
    for p in parameters:
        p.requires_grad = True
    losses = []
    for step in range(25):
        ix = given(torch, rng.integers(0, xs.shape[0], (16,)))
        emb = C[xs[ix]]
        hpreact = emb.view(emb.shape[0], -1) @ W1
        mean, std = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
        h = torch.tanh(gain * (hpreact - mean) / std + bias)
        with torch.no_grad():
            mean_running = 0.9 * mean_running + 0.1 * mean
            std_running = 0.9 * std_running + 0.1 * std
        loss = F.cross_entropy(h @ W2 + b2, ys[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        rate = 0.5 if step < 15 else 0.1
        for p in parameters:
            p.data += -rate * p.grad
        losses.append(loss.log10().item())
    with torch.no_grad():
        hpreact = C[xs].view(xs.shape[0], -1) @ W1
        h = torch.tanh(gain * (hpreact - mean_running) / std_running + bias)
        losses.append(F.cross_entropy(h @ W2 + b2, ys).item())
    return losses
