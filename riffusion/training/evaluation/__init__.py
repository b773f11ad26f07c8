"""Samples of a model, the judge that classifies them, and how well they match their captions."""
