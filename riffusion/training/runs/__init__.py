"""Whole trainings: the bundled model from nothing, and fine-tuning, with checkpoints, metrics and export."""
