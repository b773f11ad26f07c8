"""Music from text prompts: Stable Diffusion paints mel spectrograms, and the pictures are turned back into sound.

Importing this package costs nothing; torch and numpy are loaded by the modules that compute.
"""

__version__ = "0.1.0"
