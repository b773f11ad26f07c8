"""The jam in a voice channel: endless music, steered by its listeners.

`service.py` starts, steers and stops jams for interactions. A jam (`voice_jam.py`) asks `clip_maker.py` for the clips
along a path between prompts (`interpolation_path.py`), `bar_loop.py` joins their samples at bar lines, and
`opus_stream.py` encodes them for discord.py, which sends them to the voice server.
"""
