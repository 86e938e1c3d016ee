"""Sequences turned round: a GRU reads, another writes and looks back at what was read."""

import numpy as np

from tests.programs.start import begin, generator, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    hidden_size, words, length = 12, 9, 5

    class EncoderRNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(words, hidden_size)
            self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)

        def forward(self, input):
            return self.gru(self.embedding(input))

    class BahdanauAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.Wa = nn.Linear(hidden_size, hidden_size)
            self.Ua = nn.Linear(hidden_size, hidden_size)
            self.Va = nn.Linear(hidden_size, 1)

        def forward(self, query, keys):
            scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
            weights = F.softmax(scores, dim=-1)
            return torch.bmm(weights, keys), weights

    class AttnDecoderRNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(words, hidden_size)
            self.attention = BahdanauAttention()
            self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
            self.out = nn.Linear(hidden_size, words)

        def forward(self, encoder_outputs, encoder_hidden, target=None):
            batch = encoder_outputs.size(0)
            decoder_input = torch.empty(batch, 1, dtype=torch.long).fill_(0)
            hidden, outputs, attentions = encoder_hidden, [], []
            for i in range(length):
                query = hidden.permute(1, 0, 2)
                context, weights = self.attention(query, encoder_outputs)
                embedded = self.embedding(decoder_input)
                output, hidden = self.gru(torch.cat((embedded, context), dim=2), hidden)
                output = self.out(output)
                outputs.append(output)
                attentions.append(weights)
                if target is not None:
                    decoder_input = target[:, i].unsqueeze(1)
                else:
                    _, topi = output.topk(1)
                    decoder_input = topi.squeeze(-1).detach()
            return F.log_softmax(torch.cat(outputs, dim=1), dim=-1), torch.cat(attentions, dim=1)

    sentences = generator(41).integers(1, words, (32, length))
    source = given(torch, sentences)
    target = given(torch, np.flip(sentences, 1))
    encoder, decoder = begin(torch, EncoderRNN()), begin(torch, AttnDecoderRNN(), seed=1)
    encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=0.02)
    decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=0.02)
    criterion = nn.NLLLoss()
    losses = []
    for _ in range(2):
        for x, y in zip(source.split(8), target.split(8)):
            encoder_optimizer.zero_grad()
            decoder_optimizer.zero_grad()
            outputs, hidden = encoder(x)
            decoded, _ = decoder(outputs, hidden, y)
            loss = criterion(decoded.view(-1, decoded.size(-1)), y.reshape(-1))
            loss.backward()
            encoder_optimizer.step()
            decoder_optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        decoded, attentions = decoder(*encoder(source[:2]))
    return [*losses, decoded.max().item(), attentions.std().item()]
