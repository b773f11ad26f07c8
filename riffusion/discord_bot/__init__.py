"""The Discord bot: slash commands and buttons in front of the HTTP API.

It stands on `riffusion.client` and discord.py alone. The way of one clip: `commands.py` or `buttons.py` -> `service.py`
(refuse or accept the order, follow its job, post the clip) -> `reply.py` (edit the message it is answered by).
"""
