"""A transformer that writes text character by character, and the text it writes."""

import math

from tests.programs.start import begin, characters, generator, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    block, width, heads = 16, 16, 2
    text, vocabulary = characters(torch)

    class CausalSelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.c_attn = nn.Linear(width, 3 * width)
            self.c_proj = nn.Linear(width, width)
            mask = torch.tril(torch.ones(block, block)).view(1, 1, block, block)
            self.register_buffer("bias", mask)

        def forward(self, x):
            b, t, c = x.size()
            q, k, v = self.c_attn(x).split(width, dim=2)
            q, k, v = (p.view(b, t, heads, c // heads).transpose(1, 2) for p in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :t, :t] == 0, float("-inf"))
            y = F.softmax(att, dim=-1) @ v
            return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn = CausalSelfAttention()
            self.mlp = nn.ModuleDict(
                {"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)}
            )

        def forward(self, x):
            x = x + self.attn(self.ln_1(x))
            hidden = F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh")
            return x + self.mlp.c_proj(hidden)

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte = nn.Embedding(vocabulary, width)
            self.wpe = nn.Embedding(block, width)
            self.h = nn.ModuleList([Block() for _ in range(2)])
            self.ln_f = nn.LayerNorm(width)
            self.lm_head = nn.Linear(width, vocabulary, bias=False)
            self.wte.weight = self.lm_head.weight

        def forward(self, idx, targets=None):
            pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
            x = self.wte(idx) + self.wpe(pos)
            for layer in self.h:
                x = layer(x)
            logits = self.lm_head(self.ln_f(x))
            if targets is None:
                return logits, None
            flat = logits.view(-1, logits.size(-1))
            return logits, F.cross_entropy(flat, targets.view(-1), ignore_index=-1)

        @torch.no_grad()
        def generate(self, idx, count):
            for _ in range(count):
                logits, _ = self(idx[:, -block:])
                logits = logits[:, -1, :] / 0.8
                v, _ = torch.topk(logits, 5)
                logits[logits < v[:, [-1]]] = -float("inf")
                _, following = torch.topk(F.softmax(logits, dim=-1), k=1, dim=-1)
                idx = torch.cat((idx, following), dim=1)
            return idx

    model = GPT()
    masks = {name: b.clone() for name, b in model.named_buffers()}
    begin(torch, model)
    for name, buffer in model.named_buffers():
        buffer.copy_(masks[name])
    decay = {pn for pn, p in model.named_parameters() if p.dim() >= 2}
    named = dict(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [named[pn] for pn in sorted(decay)], "weight_decay": 0.1},
            {"params": [named[pn] for pn in sorted(set(named) - decay)], "weight_decay": 0.0},
        ],
        lr=1e-2,
        betas=(0.9, 0.95),
    )
    starts = generator(31).integers(0, len(text) - block - 1, (8, 8))
    losses = []
    for step, rows in enumerate(starts):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * min(1.0, (step + 1) / 3)
        x = torch.stack([text[i : i + block] for i in rows.tolist()])
        y = torch.stack([text[i + 1 : i + 1 + block] for i in rows.tolist()])
        _, loss = model(x, y)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    written = model.generate(given(torch, starts[:1, :1] * 0), 12)
    return losses + [float(v) for v in written[0].tolist()]
