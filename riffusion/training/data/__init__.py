"""What models learn from: composed pieces with captions, or a folder of recordings, as spectrogram pictures."""
