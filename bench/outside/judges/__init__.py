"""The outside judges, one a module. They run in .venv-outsiders, without the project's own code, over WAV files."""
