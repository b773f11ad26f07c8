"""The whole service on one machine, without root, Docker or network: `riffusion up`."""
