import subprocess
import sys

UNUSED = ("boto3", "peft", "scipy.optimize", "scipy.stats", "torchvision")
PROGRAM = f"""
import sys
import riffusion.diffusion.engine
print([name for name in {UNUSED} if name in sys.modules])
from diffusers.utils import USE_PEFT_BACKEND, is_peft_available
from scipy.optimize import linear_sum_assignment
print(USE_PEFT_BACKEND, is_peft_available())
"""


def test_the_models_are_imported_without_what_only_training_needs() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    imported, available = run.stdout.splitlines()
    assert imported == "[]"
    assert available == "True True"  # a LoRA is still read with peft
