"""The step-batched engine: one thread owns the UNet, and rows of many jobs share each of its calls.

A row joins the running batch at the next step, whatever its step count, strength, guidance or scheduler, and leaves
when it is done. Rows of other latent shapes or with other LoRAs form batches of their own, which take turns. The only
code of a submitter that runs in the engine's thread is a callback that must return at once. An error in one row ends
that row alone.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future

import torch
from torch import Tensor

from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.fair import FairQueue
from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.memory import BatchLimit, BatchLimits, is_out_of_memory
from riffusion.diffusion.metrics import BATCH_OCCUPANCY, BATCH_ROWS
from riffusion.diffusion.pending_step import PendingStep
from riffusion.diffusion.prompt import CHUNK_TOKENS
from riffusion.diffusion.row import DenoiseRequest, Row
from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.diffusion.streams import PartStream
from riffusion.errors import Canceled, OutOfMemory

LONG_PROMPT_CHUNKS = 4  # rows with longer prompts get batches of their own: attention pays for the longest

_Key = tuple[tuple[int, int, int], int, LoraSet | None]
"""What rows of one batch have in common: latent shape [4, H, W]; long prompts' chunks, or 0; LoRA set."""


class _Group:
    """Rows of one latent shape and LoRA set: those in the batch, and those that wait to join it."""

    def __init__(self, limit: BatchLimit) -> None:
        self.rows: list[Row] = []
        self.waiting: FairQueue[Row] = FairQueue()
        self.limit = limit

    def admit(self) -> None:
        """Removes canceled rows and fills up the batch."""
        self.rows = [row for row in self.rows if not row.future.cancelled()]
        while self.waiting and len(self.rows) < self.limit.rows:
            row = self.waiting.pop()
            if not row.future.cancelled():
                self.rows.append(row)

    def batches(self) -> list[list[Row]]:
        """The rows, split into parts that fit into memory."""
        most = self.limit.rows
        return [self.rows[first : first + most] for first in range(0, len(self.rows), most)]


class Engine:
    """Denoises rows from many threads in shared batches."""

    def __init__(
        self,
        denoiser: Denoiser,
        max_rows: int,
        max_latents: int | None = None,
        warm_up: Callable[[], None] | None = None,
    ) -> None:
        """
        Args:
            max_rows: most rows that share one UNet call; a guided row is one row, though it fills two batch entries.
            max_latents: most latents, H · W of all rows together, that share one call; None without a limit.
            warm_up: called by the engine's thread before the first row.
        """
        self.calls = 0
        """UNet calls so far."""
        self._denoiser = denoiser
        self._limits = BatchLimits(max_rows, max_latents)
        self._stream = PartStream(denoiser.device)
        self._groups: OrderedDict[_Key, _Group] = OrderedDict()
        self._pending: deque[PendingStep] = deque()
        self._completed_at = 0.0
        self._max_pending = 1 if denoiser.device.type == "cuda" else 0
        self._changed = threading.Condition()
        self._closed = False
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(warm_up,), name="engine", daemon=True)
        self._thread.start()

    def submit(
        self,
        request: DenoiseRequest,
        *,
        tenant: Hashable = None,
        weight: float = 1.0,
        on_step: Callable[[], None] = lambda: None,
        prediction: RunningPrediction | None = None,
    ) -> Future[Tensor]:
        """Queues a row and returns at once.

        Args:
            tenant: the job it belongs to; jobs that wait to join the batch take turns.
            weight: the job's share against others, greater than 0: 4 joins four times as often as 1. No job starves.
            on_step: called in the engine's thread after each UNet call of the row; must return at once.
            prediction: of this row alone; the engine puts there what is asked for by it.

        Returns:
            The latents [4, H, W], float32 on the engine's device. Canceling the future removes the row from the
            batch before its next step. Fails with `BrokenPicture`, `OutOfMemory`, or what `on_step` raised.

        Raises:
            Canceled: the engine is closed.
        """
        with torch.inference_mode():
            row = Row(request, self._denoiser.scheduler_config, on_step, prediction or RunningPrediction())
        with self._changed:
            if self._closed:
                raise Canceled("The worker is shutting down.")
            key = shape, chunks, _ = _key(request)
            group = self._groups.setdefault(key, _Group(self._limits.of(shape, chunks)))
            group.waiting.push(row, tenant, row.cost, weight)
            self._changed.notify()
        return row.future

    def wait_until_ready(self) -> None:
        """Waits for the warm-up; raises what the warm-up raised."""
        self._ready.result()

    @property
    def alive(self) -> bool:
        """Whether it takes rows: not closed, and its device not lost."""
        return self._thread.is_alive() and not self._closed

    def close(self) -> None:
        """Stops after the step under way; unfinished rows fail with `Canceled`."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    @torch.inference_mode()
    def _work(self, warm_up: Callable[[], None] | None) -> None:
        try:
            with self._stream.current():
                if self._start(warm_up):
                    self._run()
        finally:
            self._abandon()

    def _run(self) -> None:
        """Steps until the engine is closed."""
        while group := self._next_group():
            if not self._pending:
                self._completed_at = time.perf_counter()  # what it waited for rows isn't theirs
            self._join(group)
            for rows in group.batches():
                self._step(group, rows)
            group.limit.record_success()
            group.rows = [row for row in group.rows if not row.finished]
            self._complete_steps(keep=self._max_pending if group.rows else 0)
        self._complete_steps(keep=0)

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
        """The group whose turn it is, its batch filled up; waits for one. None once the engine is closed."""
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

    def _join(self, group: _Group) -> None:
        """Puts the rows that are new in the batch on the device."""
        new = [row for row in group.rows if not row.joined]
        if new:
            self._stream.wait_for_jobs()
        for row in new:
            try:
                row.join(self._denoiser.device)
            except Exception as error:  # it ends this row alone
                row.fail(_failure(error))
        group.rows = [row for row in group.rows if not row.finished]

    def _step(self, group: _Group, rows: list[Row]) -> None:
        """One UNet call for the rows of a batch, then one scheduler step of each row."""
        stepped = []
        for row, noise_pred in zip(rows, self._predict(group, rows), strict=True):
            if isinstance(noise_pred, Exception):
                row.fail(noise_pred)
                continue
            try:
                row.advance(noise_pred)
                stepped.append(row)
            except Exception as error:  # it ends this row alone
                row.fail(_failure(error))
        if stepped:
            self._pending.append(PendingStep(stepped))

    def _predict(self, group: _Group, rows: Sequence[Row]) -> Sequence[Tensor | Exception]:
        """Each row's prediction, or its error: a batch that fails is halved until the failing row is alone."""
        try:
            self.calls += 1
            BATCH_ROWS.observe(len(rows))
            BATCH_OCCUPANCY.observe(len(rows) / group.limit.rows)
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
            group.limit.shrink(half)
        return [*self._predict(group, rows[:half]), *self._predict(group, rows[half:])]

    def _complete_steps(self, keep: int) -> None:
        """Completes all pending steps but the last `keep`."""
        while len(self._pending) > keep:
            self._completed_at = self._pending[0].complete(self._completed_at)
            self._pending.popleft()

    def _abandon(self) -> None:
        """Fails all rows that are left, since the engine has stopped."""
        with self._changed:
            self._closed = True
            rows = [row for step in self._pending for row in step.rows]
            for group in self._groups.values():
                rows += [*group.rows, *(group.waiting.pop() for _ in range(len(group.waiting)))]
            for row in rows:
                row.fail(Canceled("The worker is shutting down."))
            self._groups.clear()
            self._pending.clear()


def _key(request: DenoiseRequest) -> _Key:
    chunks = len(request.prompt_embeds) // CHUNK_TOKENS
    return request.latent_shape, chunks if chunks > LONG_PROMPT_CHUNKS else 0, request.lora


def _failure(error: Exception) -> Exception:
    """The error without the frames that hold the failed call's tensors; `OutOfMemory` for every device's memory error.

    Raises:
        AcceleratorError: the device's context is lost with everything in it; the engine ends.
    """
    if is_out_of_memory(error):
        return OutOfMemory("The job doesn't fit into the worker's memory, even alone.")
    if isinstance(error, torch.AcceleratorError):
        raise error
    return error.with_traceback(None)
