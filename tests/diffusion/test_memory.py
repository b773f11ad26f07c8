import pytest
import torch

from riffusion.diffusion.memory import BatchLimits, is_out_of_memory

SHAPE, WIDE = (4, 64, 64), (4, 64, 256)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory"),
        MemoryError(),
    ],
)
def test_failed_allocations_of_every_library_are_out_of_memory(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
    ],
)
def test_other_errors_are_not(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_wide_rows_count_by_their_latents_and_one_may_always_run() -> None:
    limits = BatchLimits(max_rows=16, max_latents=20 * 64 * 64)
    assert [limits.of(shape, 0).rows for shape in (SHAPE, WIDE, (4, 64, 4096))] == [16, 5, 1]
    assert BatchLimits(16, None).of(WIDE, 0).rows == 16


def test_a_limit_grows_slowly_and_never_beyond_the_budget() -> None:
    limit = BatchLimits(4, None).of(SHAPE, 0)
    limit.shrink(2)
    grown = []
    for _ in range(1000):
        limit.record_success()
        grown.append(limit.rows)
    assert [grown.count(rows) for rows in (2, 3, 4)] == [255, 256, 489]
