"""A picture as a row of patches, through blocks of attention, to a class."""

from tests.programs.start import begin, digits


def main(torch):
    nn = torch.nn

    class PatchExtractor(nn.Module):
        def __init__(self, patch_size):
            super().__init__()
            self.patch_size = patch_size

        def forward(self, x):
            b, c, h, w = x.size()
            p = self.patch_size
            patches = x.view(b, c, h // p, p, w // p, p)
            return patches.permute(0, 2, 4, 1, 3, 5).reshape(b, -1, c * p * p)

    class MultiHeadSelfAttention(nn.Module):
        def __init__(self, dim, heads):
            super().__init__()
            self.heads, self.scale = heads, (dim // heads) ** -0.5
            self.qkv = nn.Linear(dim, dim * 3, bias=False)
            self.out = nn.Linear(dim, dim)

        def forward(self, x):
            b, n, d = x.shape
            q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            scores = torch.einsum("bhid,bhjd->bhij", q, k) * self.scale
            out = torch.einsum("bhij,bhjd->bhid", scores.softmax(dim=-1), v)
            return self.out(out.transpose(1, 2).reshape(b, n, d))

    class EncoderBlock(nn.Module):
        def __init__(self, dim):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.attention = MultiHeadSelfAttention(dim, 2)
            self.mlp = nn.Sequential(nn.Linear(dim, 24), nn.GELU(), nn.Linear(24, dim))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class ViT(nn.Module):
        def __init__(self, dim=16):
            super().__init__()
            self.patches = PatchExtractor(4)
            self.embed = nn.Linear(16, dim)
            self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
            self.position = nn.Parameter(torch.zeros(1, 5, dim))
            self.blocks = nn.Sequential(*[EncoderBlock(dim) for _ in range(2)])
            self.head = nn.Linear(dim, 10)

        def forward(self, x):
            x = self.embed(self.patches(x))
            token = self.class_token.expand(x.shape[0], -1, -1)
            x = torch.cat([token, x], dim=1) + self.position
            return self.head(self.blocks(x)[:, 0])

    images, labels = digits(torch, 32)
    model = begin(torch, ViT())
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
