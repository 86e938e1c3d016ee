"""A field of directions learned from a spiral: Runge-Kutta steps, and an adjoint of its own."""

import itertools

import numpy as np

from tests.programs.start import begin, given


def main(torch):
    nn = torch.nn

    class ODEFunc(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 2))
            for m in self.net.modules():
                if isinstance(m, nn.Linear):
                    nn.init.normal_(m.weight, mean=0, std=0.1)
                    nn.init.constant_(m.bias, val=0)

        def forward(self, t, y):
            return self.net(y**3)

    def rk4(func, y, t0, t1):
        dt = t1 - t0
        k1 = func(t0, y)
        k2 = func(t0 + dt / 2, y + dt * k1 / 2)
        k3 = func(t0 + dt / 2, y + dt * k2 / 2)
        k4 = func(t1, y + dt * k3)
        return y + dt * (k1 + 2 * k2 + 2 * k3 + k4) / 6

    def odeint(func, y0, t):
        solution = [y0]
        for t0, t1 in itertools.pairwise(t):
            solution.append(rk4(func, solution[-1], t0, t1))
        return torch.stack(solution, dim=0)

    class Adjoint(torch.autograd.Function):
        @staticmethod
        def forward(ctx, func, y0, t, *params):
            ctx.func = func
            with torch.no_grad():
                solution = odeint(func, y0, t)
            ctx.save_for_backward(t, solution, *params)
            return solution

        @staticmethod
        def backward(ctx, grad_solution):
            t, solution, *params = ctx.saved_tensors
            adj_y, adj_params = grad_solution[-1], [torch.zeros_like(p) for p in params]
            for i in range(len(t) - 1, 0, -1):
                with torch.enable_grad():
                    y = solution[i - 1].detach().requires_grad_(True)
                    following = rk4(ctx.func, y, t[i - 1], t[i])
                    found = torch.autograd.grad(following, (y, *params), adj_y, allow_unused=True)
                adj_y = found[0] + grad_solution[i - 1]
                adj_params = [a + g for a, g in zip(adj_params, found[1:])]
            return None, adj_y, None, *adj_params

    func = begin(torch, ODEFunc())
    t = torch.linspace(0.0, 2.0, 8)
    true_a = given(torch, np.array([[-0.1, 2.0], [-2.0, -0.1]]))
    y0 = torch.tensor([[2.0, 0.0]])
    with torch.no_grad():
        true_y = odeint(lambda s, y: torch.mm(y**3 * 0.2, true_a), y0, t)
    optimizer = torch.optim.RMSprop(func.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        pred_y = Adjoint.apply(func, y0, t, *func.parameters())
        loss = torch.mean(torch.abs(pred_y - true_y))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    direct = torch.mean(torch.abs(odeint(func, y0, t) - true_y))
    by_graph = torch.autograd.grad(direct, list(func.parameters()))
    return [*losses, direct.item(), *[g.norm().item() for g in by_graph]]
