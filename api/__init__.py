"""The HTTP API: accepts, describes and cancels jobs. Never imports torch or numpy."""
