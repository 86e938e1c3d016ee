"""Actor and critic with one body: the critic's value is the baseline of the actor's loss."""

from tests.programs.corridor import Corridor
from tests.programs.start import begin, generator, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    choices = generator(13)

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.affine1 = nn.Linear(7, 16)
            self.action_head = nn.Linear(16, 2)
            self.value_head = nn.Linear(16, 1)

        def forward(self, x):
            x = F.relu(self.affine1(x))
            return F.softmax(self.action_head(x), dim=-1), self.value_head(x)

    model = begin(torch, Policy())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
    env, losses = Corridor(), []
    for _ in range(8):
        state, saved, rewards = env.reset(), [], []
        done = False
        while not done and len(rewards) < 20:
            probs, value = model(given(torch, state))
            action = torch.tensor(int(choices.random() < probs[1].item()))
            entropy = -(probs * probs.log()).sum()
            saved.append((probs.log()[action], value, entropy))
            state, reward, done = env.step(action.item())
            rewards.append(reward)
        returns, total = [], 0.0
        for reward in rewards[::-1]:
            total = reward + 0.99 * total
            returns.insert(0, total)
        policy_losses, value_losses = [], []
        for (log_prob, value, entropy), total in zip(saved, returns):
            advantage = total - value.item()
            policy_losses.append(-log_prob * advantage - 0.01 * entropy)
            value_losses.append(F.smooth_l1_loss(value, torch.tensor([total])))
        optimizer.zero_grad()
        loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
