"""The classes of diffusers and transformers that inference uses, imported without what only training needs.

Both libraries also import every optional package that they find installed, for losses, quantizers and integrations that
nothing here uses: half of a worker's start. These packages are hidden from them while the classes are imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = ("boto3", "scipy", "torchaudio")


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Inside the block, these packages look as if they were not installed."""
    loaded = {name: sys.modules.get(name) for name in packages}
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # None: can't be imported
    try:
        yield
    finally:
        for name, module in loaded.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


_looked = "diffusers" in sys.modules or "transformers" in sys.modules  # for optional packages; they don't look twice

with _hidden(*(() if _looked else _UNUSED)):
    import diffusers.utils.import_utils as _diffusers
    from transformers.models.clip.modeling_clip import CLIPTextModel
    from transformers.models.clip.tokenization_clip import CLIPTokenizer
    from transformers.utils.logging import disable_progress_bar

    # LoRAs need peft, but the models don't; diffusers is still to find it when one is loaded.
    _peft, _diffusers._peft_available = _diffusers._peft_available, False
    try:
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
        from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler
        from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
        from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
        from diffusers.schedulers.scheduling_lcm import LCMScheduler
        from diffusers.schedulers.scheduling_pndm import PNDMScheduler
        from diffusers.schedulers.scheduling_tcd import TCDScheduler
    finally:
        _diffusers._peft_available = _peft

__all__ = [
    "AutoencoderKL",
    "AutoencoderTiny",
    "CLIPTextModel",
    "CLIPTokenizer",
    "DDIMScheduler",
    "DPMSolverMultistepScheduler",
    "EulerDiscreteScheduler",
    "LCMScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UNet2DConditionModel",
    "disable_progress_bar",
]
