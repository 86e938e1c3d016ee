"""A language model that writes Shakespeare letter by letter, with a recurrent network (GRU)."""

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import TinyShakespeare
from minigrad.utils.data import DataLoader, RandomSampler

minigrad.manual_seed(0)
train, test = TinyShakespeare(length=64), TinyShakespeare(train=False, length=64)
letters = len(train.vocabulary)
steps, hidden = (60, 64) if quick else (1500, 192)


class Writer(nn.Module):
    """Scores for the next letter, from all letters before it."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(letters, 64)
        self.remember = nn.GRU(64, hidden, batch_first=True)
        self.score = nn.Linear(hidden, letters)

    def forward(self, text, memory=None):
        features, memory = self.remember(self.embed(text), memory)
        return self.score(features), memory


def loss_of(model, text, following):
    scores, _ = model(text)
    return nn.functional.cross_entropy(scores.flatten(0, 1), following.flatten())


@minigrad.no_grad()
def write(model, start, length):
    """Draw letter after letter, a little more often the likely ones."""
    text, memory = start, None
    for _ in range(length):
        seen = train.encode(text if memory is None else text[-1])[None]
        scores, memory = model(seen, memory)
        shares = minigrad.softmax(scores[0, -1] / 0.8, dim=0)
        text += train.decode(minigrad.multinomial(shares, 1).tolist())
    return text


model = Writer()
optimizer = optim.Adam(model.parameters(), lr=4e-3)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
sampler = RandomSampler(train, num_samples=64 * steps)
check = test.gather(range(0, 64 * 200, 64))

losses = []
for step, (text, following) in enumerate(DataLoader(train, batch_size=64, sampler=sampler), 1):
    loss = loss_of(model, text, following)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
    if step % (steps // 5) == 0:
        with minigrad.no_grad():
            print(f"step {step:4}  loss on new text {loss_of(model, *check).item():.2f}")

print("\n" + write(model, "ROMEO:\n", 80 if quick else 400))

ax = plot.cost(losses, xlabel="step", ylabel="loss", smoothing=0.95)
ax.figure.savefig(out / "shakespeare.png")
