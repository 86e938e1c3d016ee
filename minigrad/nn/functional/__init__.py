"""torch.nn.functional: the operations of neural networks as functions."""

from __future__ import annotations

from minigrad.nn.functional.activation import *  # noqa: F403
from minigrad.nn.functional.classification import *  # noqa: F403
from minigrad.nn.functional.distance import *  # noqa: F403
from minigrad.nn.functional.loss import *  # noqa: F403
from minigrad.nn.functional.sliding import *  # noqa: F403
from minigrad.ops.attention import scaled_dot_product_attention
from minigrad.ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from minigrad.ops.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from minigrad.ops.embedding import bilinear, embedding, embedding_bag
from minigrad.ops.interpolate import (
    channel_shuffle,
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
)
from minigrad.ops.mask import one_hot
from minigrad.ops.matmul import linear
from minigrad.ops.norm import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)
from minigrad.ops.pad import pad
from minigrad.ops.pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)

__all__ = [name for name in globals() if name[0] != "_" and name not in ("annotations",)]
