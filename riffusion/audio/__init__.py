"""Audio files: in through ffmpeg, out as MP3, WAV, FLAC or Ogg with tags, at an even loudness."""
