"""A walk through automatic differentiation: leaves, hooks, products with Jacobians, freezing."""

from tests.programs.start import generator, given


def main(torch):
    rng = generator()
    seen = []
    x = given(torch, rng.normal(size=5))
    w = given(torch, rng.normal(size=(5, 3))).requires_grad_()
    b = given(torch, rng.normal(size=3)).requires_grad_()
    z = torch.matmul(x, w) + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.zeros(3))
    handle = b.register_hook(lambda grad: grad * 2)
    loss.backward(retain_graph=True)
    handle.remove()
    seen += [loss.item(), *b.grad.tolist(), w.grad.norm().item()]
    assert z.grad_fn is not None
    assert not z.detach().requires_grad
    with torch.no_grad():
        assert not (x @ w).requires_grad

    inp = torch.eye(4, 5, requires_grad=True)
    out = (inp + 1).pow(2).t()
    for _ in range(2):  # gradients add up
        out.backward(torch.ones_like(out), retain_graph=True)
        seen.append(inp.grad.sum().item())
    inp.grad.zero_()
    out.backward(torch.ones_like(out))
    seen.append(inp.grad[0].mean().item())

    a = torch.tensor([2.0, 3.0], requires_grad=True)
    c = torch.tensor([6.0, 4.0], requires_grad=True)
    q = 3 * a**3 - c**2
    q.backward(gradient=torch.tensor([1.0, 1.0]))
    assert bool((9 * a**2 == a.grad).all())
    assert (-2 * c == c.grad).all()
    (g,) = torch.autograd.grad((a**4).sum(), a, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), a)
    seen += h.tolist()

    y = given(torch, rng.normal(size=3)).requires_grad_()
    doubled = y * 2
    while doubled.data.norm() < 1000:
        doubled = doubled * 2
    doubled.backward(torch.tensor([0.1, 1.0, 0.0001]))
    return seen + y.grad.tolist()
