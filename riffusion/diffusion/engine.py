"""The step-batched engine: one thread owns the UNet, and rows of many jobs share each of its calls.

A row joins the running batch at the next step, whatever its step count, strength, guidance or scheduler, and leaves
when it is done. Rows of other latent shapes or with other LoRAs form batches of their own, which take turns. Nothing
that a submitter does runs in the engine's thread but a callback that must return at once; what goes wrong in one row
ends that row alone.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future

import torch
from torch import Tensor

from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.fair import FairQueue
from riffusion.diffusion.prompt import CHUNK_TOKENS
from riffusion.diffusion.row import Painting, Row
from riffusion.errors import Canceled, OutOfMemory

LONG_PROMPT_CHUNKS = 4  # rows with longer prompts don't make the others pay for their attention
_CALM_STEPS = 256  # without running out of memory, after which a batch may grow again

_Key = tuple[Hashable, ...]


class _Group:
    """Rows of one latent shape and LoRA set: those in the batch, and those that wait for a place in it."""

    def __init__(self, limit: int) -> None:
        self.rows: list[Row] = []
        self.waiting: FairQueue[Row] = FairQueue()
        self.limit = limit
        self._most = limit
        self._calm = 0

    def admit(self) -> None:
        """Lets canceled rows go and fills the batch up."""
        self.rows = [row for row in self.rows if not row.future.cancelled()]
        while self.waiting and len(self.rows) < self.limit:
            row = self.waiting.pop()
            if not row.future.cancelled():
                self.rows.append(row)

    def batches(self) -> list[list[Row]]:
        """The rows, in as many parts as fit into memory."""
        return [self.rows[first : first + self.limit] for first in range(0, len(self.rows), self.limit)]

    def shrink(self, limit: int) -> None:
        """The device ran out of memory at more rows than this."""
        self.limit, self._calm = limit, 0

    def calm(self) -> None:
        """A step fitted; after many, one more row is tried, in case that something else had taken the memory."""
        self._calm += 1
        if self.limit < self._most and self._calm >= _CALM_STEPS:
            self.limit, self._calm = self.limit + 1, 0


class _Flight:
    """A step that the device may still be at: on CUDA its results are looked at when the next step is under way."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._last = [row.trajectory.done for row in rows]
        finite = torch.stack([row.latents for row in rows]).isfinite().flatten(1).all(1)
        self._landed: torch.cuda.Event | None = None
        if finite.is_cuda:
            self._finite = torch.empty(len(rows), dtype=torch.bool, pin_memory=True)
            self._finite.copy_(finite, non_blocking=True)
            self._landed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._landed.record()
        else:
            self._finite = finite.cpu()

    def land(self) -> None:
        """Waits for the device and tells the rows."""
        if self._landed is not None:
            self._landed.synchronize()
        for row, last, finite in zip(self.rows, self._last, self._finite.tolist(), strict=True):
            row.report(finite, last)


class Engine:
    """Denoises rows from many threads in shared batches."""

    def __init__(self, denoiser: Denoiser, max_rows: int, warm_up: Callable[[], None] | None = None) -> None:
        """
        Args:
            max_rows: that share one UNet call at most; a row with guidance is one row, though it takes two places.
            warm_up: run by the engine's thread before the first row.
        """
        self.calls = 0
        """UNet calls so far."""
        self._denoiser = denoiser
        self._max_rows = max_rows
        self._groups: OrderedDict[_Key, _Group] = OrderedDict()
        self._flights: deque[_Flight] = deque()
        self._ahead = 1 if denoiser.device.type == "cuda" else 0
        self._changed = threading.Condition()
        self._closed = False
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(warm_up,), name="engine", daemon=True)
        self._thread.start()

    def submit(
        self,
        painting: Painting,
        *,
        tenant: Hashable = None,
        weight: float = 1.0,
        on_step: Callable[[], None] = lambda: None,
    ) -> Future[Tensor]:
        """Queues a row and answers at once.

        Args:
            tenant: the job it belongs to; jobs that wait for places in the batch get them in turn.
            weight: the job's share against others, greater than 0: 4 goes four times as often as 1. Nobody starves.
            on_step: called in the engine's thread after each UNet call of the row; must return at once.

        Returns:
            The latents [4, H, W], float32 on the engine's device. Canceling the future takes the row out of the batch
            before its next step. Fails with `BrokenPicture`, `OutOfMemory`, or what `on_step` raised.

        Raises:
            Canceled: the engine is closed.
        """
        with torch.inference_mode():
            row = Row(painting, self._denoiser.scheduler_config, self._denoiser.device, on_step)
        with self._changed:
            if self._closed:
                raise Canceled("The worker is shutting down.")
            group = self._groups.setdefault(_key(painting), _Group(self._max_rows))
            group.waiting.push(row, tenant, row.cost, weight)
            self._changed.notify()
        return row.future

    def wait_until_ready(self) -> None:
        """Returns when it is warmed up; raises what the warm-up raised."""
        self._ready.result()

    @property
    def alive(self) -> bool:
        """Whether it can take rows: not closed, and not ended by the loss of its device."""
        return self._thread.is_alive() and not self._closed

    def close(self) -> None:
        """Stops after the step under way; rows not done fail as `Canceled`."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    @torch.inference_mode()
    def _work(self, warm_up: Callable[[], None] | None) -> None:
        try:
            if not self._start(warm_up):
                return
            while group := self._next_group():
                for rows in group.batches():
                    self._step(group, rows)
                group.calm()
                group.rows = [row for row in group.rows if not row.left]
                self._land(self._ahead if group.rows else 0)
            self._land(0)
        finally:
            self._abandon()

    def _start(self, warm_up: Callable[[], None] | None) -> bool:
        try:
            if warm_up:
                warm_up()
        except Exception as error:
            self._ready.set_exception(error)  # for `wait_until_ready` to raise
            return False
        self._ready.set_result(None)
        return True

    def _next_group(self) -> _Group | None:
        """The group whose turn it is, its places filled; waits for work. None: closed."""
        with self._changed:
            while not self._closed:
                for key, group in list(self._groups.items()):
                    group.admit()
                    if group.rows:
                        self._groups.move_to_end(key)
                        return group
                    del self._groups[key]
                self._changed.wait()
        return None

    def _step(self, group: _Group, rows: list[Row]) -> None:
        """One UNet call for the rows of a batch, and each row's own step after it."""
        stepped = []
        for row, prediction in zip(rows, self._predict(group, rows), strict=True):
            if isinstance(prediction, Exception):
                row.fail(prediction)
                continue
            try:
                row.advance(prediction)
                stepped.append(row)
            except Exception as error:  # whatever it is, it is this row's alone
                row.fail(_failure(error))
        if stepped:
            self._flights.append(_Flight(stepped))

    def _predict(self, group: _Group, rows: Sequence[Row]) -> Sequence[Tensor | Exception]:
        """Each row's prediction, or why there is none: a batch that fails is halved until the culprit is alone."""
        try:
            self.calls += 1
            return self._denoiser.predict(rows)
        except Exception as error:
            failure = _failure(error)
        # Out of the except block, so that the traceback doesn't keep the failed call's tensors.
        out_of_memory = isinstance(failure, OutOfMemory)
        if out_of_memory and self._denoiser.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(rows) == 1:
            return [failure]
        half = len(rows) // 2
        if out_of_memory:
            group.shrink(half)
        return [*self._predict(group, rows[:half]), *self._predict(group, rows[half:])]

    def _land(self, ahead: int) -> None:
        """Looks at the steps that are finished, leaving at most `ahead` under way."""
        while len(self._flights) > ahead:
            self._flights[0].land()
            self._flights.popleft()

    def _abandon(self) -> None:
        """Nothing is left waiting for an engine that has stopped."""
        with self._changed:
            self._closed = True
            rows = [row for flight in self._flights for row in flight.rows]
            for group in self._groups.values():
                rows += [*group.rows, *(group.waiting.pop() for _ in range(len(group.waiting)))]
            for row in rows:
                row.fail(Canceled("The worker is shutting down."))
            self._groups.clear()
            self._flights.clear()


def _key(painting: Painting) -> _Key:
    """What rows of one batch have in common. Long prompts stay among themselves: others would pay for their length."""
    chunks = len(painting.prompt) // CHUNK_TOKENS
    return (*painting.shape, chunks if chunks > LONG_PROMPT_CHUNKS else 0, painting.lora)


def _failure(error: Exception) -> Exception:
    """The error without the frames that hold the failed call's tensors; memory errors of every device as one.

    Raises:
        AcceleratorError: the device's context is lost with everything in it; the engine ends.
    """
    if isinstance(error, torch.AcceleratorError):
        raise error
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        return OutOfMemory("The job doesn't fit into the worker's memory, even alone.")
    return error.with_traceback(None)
