"""Vectors of words by skip-gram with negative sampling; rarer words are drawn less often."""

import numpy as np

from tests.programs.start import TEXT, begin, generator, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    rng = generator(43)
    words = TEXT.replace(",", "").replace(".", "").split()
    known, counts = np.unique(words, return_counts=True)
    numbers = np.searchsorted(known, words)
    chance = counts**0.75 / (counts**0.75).sum()
    pairs = [
        (numbers[i], numbers[j])
        for i in range(len(numbers))
        for j in range(max(0, i - 2), min(len(numbers), i + 3))
        if i != j
    ]

    class SkipGram(nn.Module):
        def __init__(self, vocabulary, dim):
            super().__init__()
            self.center = nn.Embedding(vocabulary, dim)
            self.context = nn.Embedding(vocabulary, dim)

        def forward(self, center, context, negatives):
            v = self.center(center)
            positive = torch.sum(v * self.context(context), dim=1)
            negative = torch.bmm(self.context(negatives), v.unsqueeze(2)).squeeze(2)
            return -(F.logsigmoid(positive) + F.logsigmoid(-negative).sum(1)).mean()

    model = begin(torch, SkipGram(len(known), 8))
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.2)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lambda epoch: 0.9**epoch)
    table, losses = given(torch, np.array(pairs)), []
    for batch in torch.split(table, 32):
        negatives = given(torch, rng.choice(len(known), (len(batch), 4), p=chance))
        optimizer.zero_grad()
        loss = model(batch[:, 0], batch[:, 1], negatives)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    vectors = F.normalize(model.center.weight.data, dim=1)
    nearest = (vectors @ vectors.t() - torch.eye(len(vectors))).max(dim=1)
    return [*losses, nearest.values.mean().item(), F.cosine_similarity(
        vectors[:1], vectors[1:2]).item()]  # fmt: skip
