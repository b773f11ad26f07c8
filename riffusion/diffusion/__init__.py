"""Stable Diffusion: prompts to embeddings, seeds to noise, and the engine that denoises many jobs in one batch."""
