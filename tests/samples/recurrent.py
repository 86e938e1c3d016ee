"""Rows of the steps of recurrent layers and of attention in blocks, against torch's."""

from __future__ import annotations

from typing import Any

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

# Steps, batch and size; every one differs from the others.
SIZES = ((3, 2, 2), (2, 1, 3), (1, 2, 1), (4, 3, 2))


def drawn(s: Source, gates: int) -> tuple[Any, Any, Any, Any]:
    """The input's share, the first state, a second one, and the weight."""
    steps, batch, size = s.pick(SIZES)
    return (
        s.floats((steps, batch, gates * size), away=(0,)),
        s.floats((batch, size)),
        s.floats((batch, size)),
        s.floats((gates * size, size), -0.7, 0.7),
    )


def attention(s: Source, slopes: bool = False) -> Sample:
    lead, length, sources = s.pick((((), 3, 3), ((2,), 5, 4), ((1, 2), 2, 5), ((2,), 1, 1)))
    shapes = ((*lead, length, 3), (*lead, sources, 3), (*lead, sources, 2))
    if slopes:
        shapes = ((*lead, length, 2), *shapes)
    constants = {"causal": s.flag(), "scale": 0.7, "block": s.pick((1, 2, 9)), "saved": []}
    return sample(*map(s.floats, shapes), **constants)


def attention_grad(s: Source) -> Sample:
    return attention(s, slopes=True)


def attend_grad(g: Any, q: Any, k: Any, v: Any, **constants: Any) -> Any:
    leaves = [x if x.requires_grad else x.clone().requires_grad_() for x in (q, k, v)]
    with torch.enable_grad():
        out = attend(*leaves, **constants)
        return torch.autograd.grad(out, leaves, g, create_graph=True)


def attend(q: Any, k: Any, v: Any, causal: bool, scale: float, block: int, saved: list[Any]) -> Any:
    scores = q @ k.mT * scale
    if causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        scores = scores.masked_fill(~seen, -torch.inf)
    return scores.softmax(-1) @ v


def rnn(s: Source) -> Sample:
    input, hidden, _, weight = drawn(s, 1)
    return sample(input, hidden, weight, relu=s.flag(), reverse=s.flag())


def rnn_steps(x: Any, h: Any, w: Any, relu: bool, reverse: bool) -> Any:
    found = []
    for part in x.flip(0) if reverse else x:
        h = part + h @ w.T
        h = torch.relu(h) if relu else torch.tanh(h)
        found.append(h)
    return torch.stack(found[::-1] if reverse else found)


def lstm(s: Source) -> Sample:
    input, hidden, cell, weight = drawn(s, 4)
    size = hidden.shape[1]
    if not s.flag():
        return sample(input, hidden, cell, weight, None, reverse=s.flag())
    short = size + 1
    hidden, weight = s.floats((len(hidden), short)), s.floats((4 * size, short), -0.7, 0.7)
    return sample(input, hidden, cell, weight, s.floats((short, size)), reverse=s.flag())


def lstm_steps(x: Any, h: Any, c: Any, w: Any, p: Any, reverse: bool) -> Any:
    found = []
    for part in x.flip(0) if reverse else x:
        i, f, n, o = (part + h @ w.T).chunk(4, 1)
        i, f, n, o = i.sigmoid(), f.sigmoid(), n.tanh(), o.sigmoid()
        c = f * c + i * n
        h = o * c.tanh() if p is None else (o * c.tanh()) @ p.T
        found.append((h, c, torch.stack((i, f, n, o), 1)))
    return joined(found, reverse)


def joined(found: Any, reverse: bool) -> Any:
    return tuple(torch.stack(part[::-1] if reverse else part) for part in zip(*found))


def gru(s: Source) -> Sample:
    input, hidden, _, weight = drawn(s, 3)
    bias = s.floats(weight.shape[:1]) if s.pick((True, False)) else None
    return sample(input, hidden, weight, bias, reverse=s.flag())


def gru_steps(x: Any, h: Any, w: Any, b: Any, reverse: bool) -> Any:
    found = []
    for part in x.flip(0) if reverse else x:
        again = h @ w.T if b is None else h @ w.T + b
        (r, z, n), (again_r, again_z, inner) = part.chunk(3, 1), again.chunk(3, 1)
        r, z = (r + again_r).sigmoid(), (z + again_z).sigmoid()
        n = (n + r * inner).tanh()
        h = (1 - z) * n + z * h
        found.append((h, torch.stack((r, z, n), 1), inner))
    return joined(found, reverse)


ROWS = {
    "rnn_steps": Row(rnn, rnn_steps, count=8),
    "lstm_steps": Row(lstm, lstm_steps, count=8),
    "gru_steps": Row(gru, gru_steps, count=8),
    "attend": Row(attention, attend, count=8),
    "attend_grad": Row(attention_grad, attend_grad, count=8),
}
