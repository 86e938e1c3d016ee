"""torch.amp: losses scaled so that small float16 gradients are not lost; autocast turned off."""

from minigrad.amp.autocast import autocast
from minigrad.amp.scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
