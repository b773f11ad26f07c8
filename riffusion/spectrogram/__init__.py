"""Mel spectrograms as pictures, and the way back from a picture to sound."""
