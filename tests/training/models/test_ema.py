import torch

from riffusion.training.models.ema import WeightAverage


def test_a_loaded_average_stays_on_its_device_and_goes_on_exactly() -> None:
    weights = [torch.nn.Parameter(torch.randn(3)) for _ in range(2)]
    whole, resumed = WeightAverage(weights), WeightAverage(weights)
    with torch.no_grad():
        weights[0].add_(1)
    whole.update(weights)
    places = [shadow.data_ptr() for shadow in resumed.shadow]
    resumed.load_state_dict({"updates": whole.updates, "shadow": [each.clone() for each in whole.shadow]})
    assert [shadow.data_ptr() for shadow in resumed.shadow] == places
    for average in (whole, resumed):
        average.update(weights)
    assert all(torch.equal(one, other) for one, other in zip(whole.shadow, resumed.shadow, strict=True))
