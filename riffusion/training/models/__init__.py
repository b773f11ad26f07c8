"""The parts of the bundled Stable Diffusion: their shapes, losses and weight averages."""
