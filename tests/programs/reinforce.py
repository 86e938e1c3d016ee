"""REINFORCE: a policy that learns from the returns of whole episodes."""

from collections import deque

from tests.programs.corridor import Corridor
from tests.programs.start import begin, generator, given


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    choices = generator(11)
    eps = 1e-8

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.affine1 = nn.Linear(7, 12)
            self.affine2 = nn.Linear(12, 2)

        def forward(self, x):
            return F.softmax(self.affine2(F.relu(self.affine1(x))), dim=1)

    policy = begin(torch, Policy())
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    env, losses = Corridor(), []
    for _ in range(8):
        state, log_probs, rewards = env.reset(), [], []
        for _ in range(20):
            probs = policy(given(torch, state).unsqueeze(0))
            # The action is drawn outside, so that both libraries draw the same.
            action = torch.tensor([int(choices.random() < probs[0, 1].item())])
            log_probs.append(torch.log(probs.gather(1, action.unsqueeze(1))).squeeze(1))
            state, reward, done = env.step(action.item())
            rewards.append(reward)
            if done:
                break
        returns, total = deque(), 0.0
        for reward in rewards[::-1]:
            total = reward + 0.99 * total
            returns.appendleft(total)
        returns = torch.tensor(list(returns))
        returns = (returns - returns.mean()) / (returns.std() + eps)
        policy_loss = [-log_prob * r for log_prob, r in zip(log_probs, returns)]
        optimizer.zero_grad()
        policy_loss = torch.cat(policy_loss).sum()
        policy_loss.backward()
        optimizer.step()
        losses += [policy_loss.item(), float(len(rewards))]
    return losses
