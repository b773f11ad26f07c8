import pytest
import torch
from torch import nn

from riffusion.diffusion.channels_last import ChannelsLastGroupNorm, group_norm, to_channels_last


@pytest.mark.parametrize(
    ("dtype", "offset", "tolerance"),
    [(torch.float32, 0, 1e-5), (torch.float32, 3, 1e-4), (torch.float16, 0, 4e-3), (torch.float16, 30, 0.1)],
)
def test_the_norm_is_torchs_and_keeps_the_layout(dtype: torch.dtype, offset: int, tolerance: float) -> None:
    torch.manual_seed(0)
    images = (torch.randn(2, 12, 16, 24) * torch.rand(12)[:, None, None] + offset).to(dtype)
    images = images.contiguous(memory_format=torch.channels_last)
    norm = nn.GroupNorm(3, 12)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    with torch.no_grad():
        made = group_norm(images, norm)
    assert made.dtype == dtype
    assert made.is_contiguous(memory_format=torch.channels_last)
    error = (made.float() - norm(images.float())).abs().max()
    assert error <= tolerance  # of the images' own precision


def test_of_equal_numbers_nothing_but_the_bias_is_left() -> None:
    norm = nn.GroupNorm(2, 4).requires_grad_(False)
    images = torch.full((1, 4, 8, 8), 3.3).contiguous(memory_format=torch.channels_last)
    assert torch.allclose(group_norm(images, norm), torch.zeros(()), atol=1e-2)


def test_every_group_norm_of_a_module_is_replaced_with_its_weights() -> None:
    convolution, norm = nn.Conv2d(4, 8, 3), nn.GroupNorm(2, 8)
    module = nn.Sequential(convolution, nn.Sequential(norm))
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    assert to_channels_last(module) is module
    assert type(norm) is ChannelsLastGroupNorm
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())
