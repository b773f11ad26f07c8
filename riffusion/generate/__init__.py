"""From a request to a clip: the flow, written once, used by the worker and by the command line."""

from riffusion.generate.clip import Clip, Control, NoControl
from riffusion.generate.generator import Generator

__all__ = ["Clip", "Control", "Generator", "NoControl"]
