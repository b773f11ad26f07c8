"""CUDA streams: each part of the model has one, so that prompts and pictures are encoded and decoded beside the steps.

What jobs' threads compute themselves, such as LoRA sets and embeddings between two prompts, is in the device's default
stream, which no part of the model uses: to wait for it takes no time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from riffusion.diffusion.memory import is_out_of_memory
from riffusion.errors import OutOfMemory


class PartStream:
    """The stream of one part of the model; without effect on devices other than CUDA.

    It is created once: the memory that torch keeps for reuse belongs to a stream, and other streams can't use it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def wait_for_jobs(self) -> None:
        """Has what is queued here from now on start after what jobs' threads have queued so far."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.default_stream(self._device))

    @contextmanager
    def current(self) -> Iterator[None]:
        """Runs the block in this stream and on its device, after what jobs' threads have queued so far."""
        if self._stream is None:
            yield
            return
        self.wait_for_jobs()
        with torch.cuda.stream(self._stream):
            yield

    def run(self, work: Callable[[], list[Tensor]]) -> list[Tensor]:
        """The tensors on the device that `work` makes in this stream, finished, for use in any stream.

        Raises:
            OutOfMemory: they don't fit into the device's memory.
        """
        try:
            with self.current():
                made = work()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        else:
            if self._stream is not None:
                record_use(made, torch.cuda.default_stream(self._device))
            return made
        finally:
            if self._stream is not None:  # also after an error: `work` still reads what the caller then frees
                self._stream.synchronize()
        raise OutOfMemory("The picture doesn't fit into the worker's memory.")


def record_use(tensors: Iterable[Tensor], stream: torch.cuda.Stream | None = None) -> None:
    """Keeps another stream's memory from being reused before a stream, by default the current one, has read it."""
    for tensor in tensors:
        if tensor.is_cuda:
            tensor.record_stream(stream or torch.cuda.current_stream(tensor.device))


def upload(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The tensors on the device, for use in the current stream: those of the host as float32.

    On CUDA the host's are packed into one copy from pinned memory, for which the host doesn't wait. A copy from other
    memory would first wait for everything that is queued in the stream.
    """
    if device.type != "cuda":
        return {name: tensor.to(device, torch.float32) for name, tensor in tensors.items()}
    there = {name: tensor for name, tensor in tensors.items() if tensor.is_cuda}
    record_use(there.values())
    host = {name: tensor for name, tensor in tensors.items() if not tensor.is_cuda}
    sizes = [tensor.numel() for tensor in host.values()]
    packed = torch.empty(sum(sizes), pin_memory=True)
    torch.cat([tensor.float().flatten() for tensor in host.values()], out=packed)
    parts = packed.to(device, non_blocking=True).split(sizes)  # type: ignore[no-untyped-call]
    return there | {name: part.view(tensor.shape) for (name, tensor), part in zip(host.items(), parts, strict=True)}
