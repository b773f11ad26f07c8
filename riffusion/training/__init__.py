"""Composing a data set, training the bundled model on it, and fine-tuning any Stable Diffusion on a folder of audio."""
