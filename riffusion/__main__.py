"""`python -m riffusion` is the `riffusion` command."""

from riffusion.cli import main

main()
