"""Two networks over a graph: convolutions of its adjacency, and attention along its edges."""

import numpy as np

from tests.programs.start import begin, generator, given


def citations(torch):
    """Twenty papers of three kinds, citing mostly their own."""
    rng = generator(23)
    kinds = rng.integers(0, 3, 20)
    likely = np.where(kinds[:, None] == kinds[None], 0.5, 0.05)
    edges = np.triu(rng.random((20, 20)) < likely, 1)
    adjacency = (edges | edges.T | np.eye(20, dtype=bool)).astype(float)
    features = rng.normal(0, 1, (20, 6)) + np.eye(3, 6)[kinds]
    return given(torch, features), given(torch, adjacency), given(torch, kinds)


def convolutional(torch, x, adjacency, kinds):
    nn, F = torch.nn, torch.nn.functional

    class GraphConv(nn.Module):
        def __init__(self, input_dim, output_dim):
            super().__init__()
            self.kernel = nn.Parameter(torch.Tensor(input_dim, output_dim))
            nn.init.xavier_normal_(self.kernel)
            self.bias = nn.Parameter(torch.zeros(output_dim))

        def forward(self, input_tensor, adj_mat):
            return torch.mm(adj_mat, torch.mm(input_tensor, self.kernel)) + self.bias

    class GCN(nn.Module):
        def __init__(self):
            super().__init__()
            self.gc1 = GraphConv(6, 8)
            self.gc2 = GraphConv(8, 3)

        def forward(self, x, adj):
            return F.log_softmax(self.gc2(F.relu(self.gc1(x, adj)), adj), dim=1)

    root = torch.diag(adjacency.sum(1).pow(-0.5))
    normalised = root.mm(adjacency).mm(root)
    model = begin(torch, GCN())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05, weight_decay=5e-4)
    return trained(torch, model, optimizer, x, normalised, kinds)


def attentive(torch, x, adjacency, kinds):
    nn, F = torch.nn, torch.nn.functional

    class GraphAttention(nn.Module):
        def __init__(self, in_features, out_features, n_heads, concat):
            super().__init__()
            self.n_heads, self.n_hidden, self.concat = n_heads, out_features, concat
            self.W = nn.Parameter(torch.empty(size=(in_features, n_heads * out_features)))
            self.a = nn.Parameter(torch.empty(size=(2 * out_features, 1)))
            nn.init.ones_(self.W)
            nn.init.ones_(self.a)

        def forward(self, h, adj_mat):
            n_nodes = h.shape[0]
            h = torch.mm(h, self.W).view(n_nodes, self.n_heads, self.n_hidden).permute(1, 0, 2)
            source = torch.matmul(h, self.a[: self.n_hidden, :])
            target = torch.matmul(h, self.a[self.n_hidden :, :])
            e = F.leaky_relu(source + target.mT, 0.2)
            e = torch.where(adj_mat > 0, e, -9e16 * torch.ones_like(e))
            h_prime = torch.matmul(F.softmax(e, dim=-1), h)
            if self.concat:
                return h_prime.permute(1, 0, 2).contiguous().view(n_nodes, -1)
            return h_prime.mean(dim=0)

    class GAT(nn.Module):
        def __init__(self):
            super().__init__()
            self.gat1 = GraphAttention(6, 4, 3, True)
            self.gat2 = GraphAttention(12, 3, 1, False)

        def forward(self, x, adj):
            return F.log_softmax(self.gat2(F.elu(self.gat1(x, adj)), adj), dim=1)

    model = begin(torch, GAT(), seed=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return trained(torch, model, optimizer, x, adjacency, kinds)


def trained(torch, model, optimizer, x, adjacency, kinds):
    criterion, known, losses = torch.nn.NLLLoss(), torch.arange(12), []
    for _ in range(12):
        optimizer.zero_grad()
        output = model(x, adjacency)
        loss = criterion(output[known], kinds[known])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    accuracy = output[12:].argmax(dim=1).eq(kinds[12:]).double().mean()
    return [*losses, accuracy.item()]


def main(torch):
    given_graph = citations(torch)
    return convolutional(torch, *given_graph) + attentive(torch, *given_graph)
