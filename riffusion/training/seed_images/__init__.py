"""The built-in seed images: their compositions, and the program that writes their files into `riffusion/seeds`."""
