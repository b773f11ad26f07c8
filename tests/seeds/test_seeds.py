import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from riffusion.errors import UnknownReference
from riffusion.geometry import SpectrogramParams
from riffusion.seeds import Seed, has_seed, list_seeds, open_seed
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


def test_the_operators_images_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in ("drums", "top_third"):
        (folder / f"{name}.png").write_bytes(name.encode())
    assert [open_seed(name, folder) for name in ("drums", "top_third")] == [b"drums", b"top_third"]
    assert open_seed("bass", folder) == open_seed("bass")
    assert not has_seed("top_third")


@pytest.mark.parametrize("name", ["../secret", "..", "/secret", "sub/secret", "secret\0", "Secret", "none"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (folder := tmp_path / "seeds" / "sub").mkdir(parents=True)
    for place in (tmp_path, tmp_path / "seeds" / "sub", tmp_path / "seeds"):
        for file in ("secret.png", "Secret.png"):
            (place / file).write_bytes(b"secret")
    assert not has_seed(name, folder.parent)
