"""Models with channels last in memory, the layout that convolutions are fastest in."""

from typing import TypeVar

import torch
from torch import Tensor, nn

_Module = TypeVar("_Module", bound=nn.Module)


def to_channels_last(module: _Module) -> _Module:
    """The module itself, with its weights in this layout, and group norms that keep it while nothing is trained."""
    for each in module.modules():
        if type(each) is nn.GroupNorm:
            each.__class__ = ChannelsLastGroupNorm  # the same weights under the same names
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


class ChannelsLastGroupNorm(nn.GroupNorm):
    """Group normalization (Wu and He 2018) whose output has channels last.

    On CUDA torch's own copies its input to channels first, and each convolution behind it copies back. Compiled code
    and the CPU keep the layout already.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
        """Of [B, C, H, W], or any shape that `GroupNorm` takes."""
        eager = not (torch.compiler.is_compiling() or torch.is_grad_enabled())
        if not (input.is_cuda and input.ndim == 4 and eager):  # noqa: PLR2004
            return super().forward(input)
        return group_norm(input.contiguous(memory_format=torch.channels_last), self)


def group_norm(images: Tensor, norm: nn.GroupNorm) -> Tensor:
    """The group norm of images [B, C, H, W] in their layout and precision, calculated in float32, without gradients.

    Sums and the result are one pass each, without a copy in float32. The variance is E[x²] - E[x]²: where that loses
    digits, at means far beyond the deviation, float16 has lost more of the images themselves.
    """
    batch, channels, height, width = images.shape
    count = height * width * channels // norm.num_groups
    total = images.sum((2, 3), dtype=torch.float32).view(batch, norm.num_groups, -1).sum(2, keepdim=True)
    norms = torch.linalg.vector_norm(images, dim=(2, 3), dtype=torch.float32)
    squares = norms.square().view(batch, norm.num_groups, -1).sum(2, keepdim=True)
    mean = total / count
    scale = torch.rsqrt((squares / count - mean.square()).clamp_min(0) + norm.eps)
    weight, bias = (each.float().view(1, norm.num_groups, -1) for each in (norm.weight, norm.bias))
    scale = scale * weight
    shift = bias - mean * scale
    scale, shift = (each.reshape(batch, channels, 1, 1) for each in (scale, shift))
    return torch.addcmul(shift, images, scale, out=torch.empty_like(images))
