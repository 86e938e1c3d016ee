"""A language model of words: an LSTM with tied weights, gradients clipped, over running batches."""

import math

import numpy as np

from tests.programs.start import TEXT, begin, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    words = TEXT.replace(",", " ,").split()
    known = sorted(set(words))
    corpus = given(torch, np.array([known.index(word) for word in words]))

    class RNNModel(nn.Module):
        def __init__(self, ntoken, ninp, nlayers):
            super().__init__()
            self.ntoken, self.ninp, self.nlayers = ntoken, ninp, nlayers
            self.drop = nn.Dropout(0.0)
            self.encoder = nn.Embedding(ntoken, ninp)
            self.rnn = nn.LSTM(ninp, ninp, nlayers, dropout=0.0)
            self.decoder = nn.Linear(ninp, ntoken)
            self.decoder.weight = self.encoder.weight
            self.init_weights()

        def init_weights(self):
            nn.init.zeros_(self.decoder.bias)

        def forward(self, input, hidden):
            emb = self.drop(self.encoder(input))
            output, hidden = self.rnn(emb, hidden)
            decoded = self.decoder(self.drop(output)).view(-1, self.ntoken)
            return F.log_softmax(decoded, dim=1), hidden

        def init_hidden(self, bsz):
            weight = next(self.parameters())
            zeros = weight.new_zeros(self.nlayers, bsz, self.ninp)
            return zeros, zeros.clone()

    def repackage_hidden(h):
        if isinstance(h, torch.Tensor):
            return h.detach()
        return tuple(repackage_hidden(v) for v in h)

    def batchify(data, bsz):
        nbatch = data.size(0) // bsz
        return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()

    source = batchify(corpus, 4)
    model = begin(torch, RNNModel(len(known), 12, 2))
    criterion = nn.NLLLoss()
    lr, bptt, losses = 2.0, 5, []
    for _ in range(2):
        model.train()
        hidden = model.init_hidden(4)
        for i in range(0, source.size(0) - 1, bptt):
            length = min(bptt, len(source) - 1 - i)
            data, targets = source[i : i + length], source[i + 1 : i + 1 + length].view(-1)
            model.zero_grad()
            hidden = repackage_hidden(hidden)
            output, hidden = model(data, hidden)
            loss = criterion(output, targets)
            loss.backward()
            losses.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25).item())
            for p in model.parameters():
                p.data.add_(p.grad, alpha=-lr)
            losses.append(loss.item())
        lr /= 4.0
    return [*losses, math.exp(losses[-1])]
