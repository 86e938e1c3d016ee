"""A picture changed until its features are those of one picture and their products of another's."""

from tests.programs.start import begin, digits


def main(torch):
    nn, F = torch.nn, torch.nn.functional

    def gram_matrix(input):
        a, b, c, d = input.size()
        features = input.view(a * b, c * d)
        return torch.mm(features, features.t()).div(a * b * c * d)

    class ContentLoss(nn.Module):
        def __init__(self, target):
            super().__init__()
            self.target = target.detach()

        def forward(self, input):
            self.loss = F.mse_loss(input, self.target)
            return input

    class StyleLoss(nn.Module):
        def __init__(self, target_feature):
            super().__init__()
            self.target = gram_matrix(target_feature).detach()

        def forward(self, input):
            self.loss = F.mse_loss(gram_matrix(input), self.target)
            return input

    images = digits(torch, 3)[0]
    content_img, style_img = images[0:1], images[1:2]
    cnn = begin(
        torch,
        nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, 6, 3, padding=1)),
    )
    model, content_losses, style_losses = nn.Sequential(), [], []
    for i, layer in enumerate(cnn.children()):
        model.add_module(f"layer_{i}", layer)
        if isinstance(layer, nn.Conv2d):
            style_losses.append(StyleLoss(model(style_img).detach()))
            model.add_module(f"style_loss_{i}", style_losses[-1])
    content_losses.append(ContentLoss(model(content_img).detach()))
    model.add_module("content_loss", content_losses[0])
    model.eval()
    model.requires_grad_(False)

    input_img = content_img.clone().contiguous()
    input_img.requires_grad_(True)
    optimizer = torch.optim.Adam([input_img], lr=0.1)
    losses = []
    for _ in range(8):
        with torch.no_grad():
            input_img.clamp_(-3, 3)

        def closure():
            optimizer.zero_grad()
            model(input_img)
            style_score = sum(sl.loss for sl in style_losses) * 1000
            content_score = sum(cl.loss for cl in content_losses)
            loss = style_score + content_score
            loss.backward()
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
    return losses
