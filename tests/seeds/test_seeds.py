import io
import subprocess
import sys

import pytest
from PIL import Image

from riffusion.errors import UnknownReference
from riffusion.geometry import SpectrogramParams
from riffusion.seeds import Seed, list_seeds, open_seed
from riffusion.spectrogram.exif import from_exif


def test_there_are_five() -> None:
    seeds = list_seeds()
    assert len({seed.name for seed in seeds}) == 5


@pytest.mark.parametrize("seed", list_seeds(), ids=lambda seed: seed.name)
def test_each_is_a_whole_number_of_bars(seed: Seed) -> None:
    picture = Image.open(io.BytesIO(open_seed(seed.name)))
    params = from_exif(picture.getexif())
    assert picture.size == (512, 512)
    assert params.max_value != SpectrogramParams().max_value
    assert seed.bars * seed.beats_per_bar * 60 / seed.bpm == pytest.approx(params.seconds(512, loop=True))
    assert float(picture.info["BPM"]) == seed.bpm
    assert int(picture.info["Bars"]) == seed.bars


@pytest.mark.parametrize("name", ["unknown", "../params", "index.json", ""])
def test_others_are_unknown(name: str) -> None:
    with pytest.raises(UnknownReference, match="drums"):
        open_seed(name)


def test_listing_loads_no_numpy() -> None:
    program = "import sys, riffusion.seeds as s; s.open_seed(s.list_seeds()[0].name); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
