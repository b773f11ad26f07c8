"""In whose company a row was denoised; with the engine: test_engine.py."""

from riffusion.diffusion.step_batches import MAX_RUNS, StepBatches


def test_a_busy_batch_makes_no_more_than_so_many_runs() -> None:
    batches = StepBatches()
    for step in range(3 * MAX_RUNS):
        batches.add(1 + step % 2, 0.01)
    assert len(batches.runs) == MAX_RUNS
    assert sum(run.steps for run in batches.runs) == 3 * MAX_RUNS
    assert batches.runs[-1].rows == 2
