"""The Discord bot: slash commands and buttons in front of the HTTP API, built on `riffusion.client` and discord.py.

One clip, from start to end: a command (`commands.py`) or a button (`buttons.py`) passes a factory of its request to
`clip_service.py`. The service checks limits and blocked words, stores the request until it has its reply
(`pending_requests.py`), submits it and follows its job; `reply.py` edits the message that
people see, with the texts of `messages.py`.

The jam in voice channels is in `jam/`.
"""
