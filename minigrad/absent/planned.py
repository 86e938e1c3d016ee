"""The names of torch that are to come, by the path below `torch`; a pattern ends with a star."""

from __future__ import annotations

import fnmatch

__all__ = ["planned"]

_PATTERNS = (
    "autograd.graph*", "autograd.detect_anomaly", "autograd.set_detect_anomaly", "distributions*",
    "func.rearrange", "func.replace_all_batch_norm_modules_", "nn.Buffer", "nn.CrossMapLRN2d",
    "nn.Lazy*", "nn.RNNBase", "nn.RNNCellBase", "nn.Uninitialized*", "nn.utils.[pr]*",
    "nn.utils.fuse_*", "nn.utils.s*", "nn.utils.w*", "nn.utils.clip_grads_with_norm_",
    "optim.swa_utils*", "utils.data.ChainDataset", "utils.data.StackDataset",
)  # fmt: skip

_NAMES = (
    # The same functions are in nn.functional.
    "adaptive_avg_pool1d adaptive_max_pool1d alpha_dropout batch_norm bilinear "
    "binary_cross_entropy_with_logits cosine_embedding_loss cosine_similarity ctc_loss dropout "
    "embedding embedding_bag feature_alpha_dropout feature_dropout hardshrink "
    "hinge_embedding_loss instance_norm kl_div margin_ranking_loss pairwise_distance "
    "poisson_nll_loss triplet_margin_loss "
    # Recurrent networks as functions.
    "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell "
    # Numbers, dtypes, making tensors.
    "bartlett_window blackman_window default_generator e empty_permuted empty_strided finfo "
    "frombuffer hamming_window hann_window iinfo inf kaiser_window nan newaxis pi "
    "scalar_tensor to_dlpack vander "
    # Operations.
    "binomial chain_matmul detach fill "
    "lobpcg poisson segment_reduce split_with_sizes "
    "is_conj is_inference is_neg is_nonzero is_same_size is_signed get_device "
    # What a program says of itself.
    "are_deterministic_algorithms_enabled get_default_device get_deterministic_debug_mode "
    "get_float32_matmul_precision is_anomaly_check_nan_enabled is_anomaly_enabled "
    "is_deterministic_algorithms_warn_only_enabled is_warn_always_enabled set_anomaly_enabled "
    "set_default_device set_deterministic_debug_mode set_float32_matmul_precision "
    "set_warn_always use_deterministic_algorithms"
)

_METHODS = (
    "cauchy_ fill_diagonal_ get_device hardshrink "
    "index new "
    "new_empty_strided resize_ resize_as_ "
    "split_with_sizes is_conj is_inference is_neg is_nonzero is_same_size is_signed is_set_to "
    "is_pinned"
)


def planned(path: str) -> bool:
    """Whether `torch.<path>` is to come."""
    space, _, name = path.rpartition(".")
    if space == "Tensor":
        return name in _METHODS.split()
    return path in _NAMES.split() or any(
        fnmatch.fnmatchcase(path, pattern) for pattern in _PATTERNS
    )
