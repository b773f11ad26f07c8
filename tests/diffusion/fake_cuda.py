"""A CUDA device without a GPU: tensors of shapes alone, and streams and events that only log what is asked of them."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("cuda", 1)
"""Not the current device, which is the first."""

aten = torch.ops.aten


class FakeCuda(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Operations on fake CUDA tensors calculate shapes alone, and all others are real.

    Tensors of two devices in one operation raise a RuntimeError. Use it inside `with FakeTensorMode`, or `entered`.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)
        self.waits: list[str] = []
        """Operations for which the host waits for the device."""
        self.uploads = 0
        """Copies from the host that it doesn't wait for."""
        self.peak = 0
        """Most bytes that were live on the device at once."""
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}
        self._pinned: list[Tensor] = []

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self.fake, self:
            yield

    def enter_thread(self) -> None:
        """Stays in effect until the thread ends."""
        self.fake.__enter__()
        self.__enter__()  # type: ignore[no-untyped-call]

    def put(self, module: nn.Module) -> None:
        """Moves a module's weights here, in half precision."""
        for each in module.modules():
            for tensors in (each._parameters, each._buffers):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        placed: Any = self.tensor(tensor, torch.float16 if tensor.is_floating_point() else tensor.dtype)
                        placed = nn.Parameter(placed, requires_grad=False) if tensors is each._parameters else placed
                        tensors[name] = placed

    def tensor(self, tensor: Tensor, dtype: torch.dtype = torch.float16) -> Tensor:
        """A fake tensor of this shape."""
        made: Tensor = FakeTensor(self.fake, torch.empty_like(tensor.detach(), device="meta", dtype=dtype), DEVICE)
        return made

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: PLR0911
        kwargs = kwargs or {}
        if func is torch.ops.prim.device.default:
            return args[0].fake_device
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
            with self:  # in inference mode composed operations come whole
                return func.decompose(*args, **kwargs)
        if func is aten.empty.memory_format and kwargs.get("pin_memory"):
            with unset_fake_temporarily():
                self._pinned.append(func(*args, **kwargs | {"pin_memory": False}))
            return self._pinned[-1]
        device = kwargs.get("device")
        on_device = device is not None and torch.device(device).type == "cuda"
        fakes = [each for each in tree_leaves((args, kwargs)) if isinstance(each, FakeTensor) and each.is_cuda]
        if func is aten._local_scalar_dense.default and fakes:
            return self._wait(func, True)
        if func is aten._to_copy.default and fakes and device is not None and not on_device:
            with unset_fake_temporarily():
                return self._wait(func, torch.zeros(args[0].shape, dtype=args[0].dtype))
        if func is aten.copy_.default and fakes and not isinstance(args[0], FakeTensor):
            self._check_copy(func, args[0], len(args) > 2 and args[2])
            with unset_fake_temporarily():
                return args[0].fill_(1)
        if not fakes and not on_device:
            with unset_fake_temporarily():
                return func(*args, **kwargs)
        if func is aten._to_copy.default and not fakes:
            self._check_copy(func, args[0], kwargs.get("non_blocking"))
        made = func(*args, **kwargs)
        self._track(made)
        return made

    def _wait(self, func: Any, value: Any) -> Any:
        self.waits.append(str(func))
        return value

    def _check_copy(self, func: Any, host: Tensor, non_blocking: Any) -> None:
        """A copy is no wait where it is asynchronous, and the host's memory pinned."""
        storages = {each.untyped_storage().data_ptr() for each in self._pinned}
        if non_blocking and host.untyped_storage().data_ptr() in storages:
            self.uploads += func is aten._to_copy.default
        else:
            self.waits.append(str(func))

    def _track(self, made: Any) -> None:
        for each in tree_leaves(made):
            if isinstance(each, FakeTensor) and each.is_cuda:
                storage = each.untyped_storage()
                self._live[storage._cdata] = StorageWeakRef(storage), storage.nbytes()  # type: ignore[no-untyped-call]
        expired = [key for key, (storage, _) in self._live.items() if storage.expired()]  # type: ignore[no-untyped-call]
        for key in expired:
            del self._live[key]
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))


class Streams:
    """Stands in for `torch.cuda`'s streams and events; `log` has what was asked of them, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[tuple[Any, ...]] = []
        self.created: list[FakeStream] = []
        self.default = FakeStream(self, DEVICE)
        self._first = FakeStream(self, torch.device("cuda", 0))  # the default stream of the current device
        self.created.clear()
        self._current = threading.local()
        fakes: dict[str, Any] = {
            "Stream": lambda device: FakeStream(self, device),
            "Event": lambda: FakeEvent(self),
            "stream": self._entered,
            "current_stream": self.current,
            "default_stream": lambda device: self.default if device == DEVICE else self._first,
            "empty_cache": lambda: self.log.append(("empty_cache",)),
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(torch.cuda, name, fake)
        uses = lambda tensor, stream: self.log.append(("use", stream, weakref.ref(tensor)))  # noqa: E731
        monkeypatch.setattr(torch.Tensor, "record_stream", uses, raising=False)

    def current(self, device: torch.device | None = None) -> "FakeStream":
        """The thread's stream on a device; without one, on the device that is current."""
        stream: FakeStream | None = getattr(self._current, "stream", None)
        if stream and device in (None, stream.device):
            return stream
        return self.default if device == DEVICE else self._first

    @contextmanager
    def _entered(self, stream: "FakeStream") -> Iterator[None]:
        before = getattr(self._current, "stream", None)
        self._current.stream = stream
        self.log.append(("enter", stream))
        yield
        self._current.stream = before


class FakeStream:
    def __init__(self, streams: Streams, device: torch.device) -> None:
        self.device = device
        self._log = streams.log
        streams.created.append(self)

    def wait_stream(self, other: "FakeStream") -> None:
        self._log.append(("wait", self, other))

    def synchronize(self) -> None:
        self._log.append(("synchronize", self))


class FakeEvent:
    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def record(self, stream: FakeStream | None = None) -> None:
        self._streams.log.append(("record", stream or self._streams.current()))

    def synchronize(self) -> None:
        self._streams.log.append(("complete", self))
