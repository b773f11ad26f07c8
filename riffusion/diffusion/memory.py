"""How many rows fit into the device's memory: from a budget measured at the start, and from running out of it."""

from collections.abc import Hashable

import torch

_STEPS_BEFORE_GROWTH = 256  # without running out of memory, after which a batch may grow again
_ALLOCATION_FAILURES = (
    "out of memory",  # CUDA's own error, and MPS
    "can't allocate memory",  # the CPU's allocator
    "ALLOC_FAILED",  # cuBLAS, and cuDNN before version 9
    "ALLOCATION_FAILED",  # cuDNN
)


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device's, a library's or the host's allocation failed."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _ALLOCATION_FAILURES)


def rows_within(latent_shape: tuple[int, int, int], max_rows: int, max_latents: int | None) -> int:
    """Rows of one shape [4, H, W] in a UNet call, at least 1.

    Args:
        max_latents: most latents, H · W of all rows together; None without a limit.
    """
    if max_latents is None:
        return max_rows
    _, height, width = latent_shape
    return max(1, min(max_rows, max_latents // (height * width)))


class BatchLimit:
    """Most rows of one kind in a UNet call: fewer after running out of memory, and slowly more again."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._max_rows = rows
        self._successes = 0

    def shrink(self, rows: int) -> None:
        """Lowers the limit after the device ran out of memory at more rows."""
        self.rows, self._successes = rows, 0

    def record_success(self) -> None:
        """Counts a step that fitted; after many, raises the limit by one, since the memory may be free again."""
        self._successes += 1
        if self.rows < self._max_rows and self._successes >= _STEPS_BEFORE_GROWTH:
            self.rows, self._successes = self.rows + 1, 0


class BatchLimits:
    """The limits of all kinds of rows, kept when the rows have left: what ran out of memory would do so again."""

    def __init__(self, max_rows: int, max_latents: int | None) -> None:
        self._max_rows = max_rows
        self._max_latents = max_latents
        self._limits: dict[Hashable, BatchLimit] = {}

    def of(self, latent_shape: tuple[int, int, int], chunks: int) -> BatchLimit:
        """The limit of rows of this shape [4, H, W] and this length of prompt, in chunks of 77 tokens."""
        rows = rows_within(latent_shape, self._max_rows, self._max_latents)
        return self._limits.setdefault((latent_shape, chunks), BatchLimit(rows))
