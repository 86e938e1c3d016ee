"""Sine waves continued by two LSTM cells, trained by L-BFGS on whole sequences."""

import numpy as np

from tests.programs.start import begin, given


def main(torch):
    nn = torch.nn
    times = np.arange(30) + np.array([[0], [7], [13], [22]])
    data = given(torch, np.sin(times / 4.0))

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm1 = nn.LSTMCell(1, 8)
            self.lstm2 = nn.LSTMCell(8, 8)
            self.linear = nn.Linear(8, 1)

        def forward(self, input, future=0):
            outputs = []
            h_t = c_t = torch.zeros(input.size(0), 8, dtype=input.dtype)
            h_t2 = c_t2 = torch.zeros(input.size(0), 8, dtype=input.dtype)
            for input_t in input.split(1, dim=1):
                h_t, c_t = self.lstm1(input_t, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            for _ in range(future):
                h_t, c_t = self.lstm1(output, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            return torch.cat(outputs, dim=1)

    seq = begin(torch, Sequence())
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.8, max_iter=6)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = criterion(seq(data[1:, :-1]), data[1:, 1:])
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(2):
        optimizer.step(closure)
    with torch.no_grad():
        pred = seq(data[:1, :-1], future=5)
        losses.append(criterion(pred[:, :-5], data[:1, 1:]).item())
    return [*losses, *pred[0, -5:].tolist()]
