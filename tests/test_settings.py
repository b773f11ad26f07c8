"""Settings: read from the environment only, and listed in the README's table."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from riffusion.settings import Settings

README = Path(__file__).parents[1] / "README.md"


def row(name: str, field: FieldInfo) -> str:
    """A setting's row in the README's table."""
    default = "" if field.default is None else f"`{field.default}`" if str(field.default) else ""
    return f"| `RIFFUSION_{name.upper()}` | {default} | {field.description} |"


def test_the_readme_table_is_the_settings_class() -> None:
    rows = [row(name, field) for name, field in Settings.model_fields.items()]
    lines = README.read_text().splitlines()
    assert [line for line in lines if line.startswith("| `RIFFUSION_")] == rows, "\n" + "\n".join(rows)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFFUSION_SLOTS", "3")
    assert Settings().slots == 3


def test_a_setting_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFFUSION_SLOTS", "0")
    with pytest.raises(ValidationError, match="slots"):
        Settings()


def test_secrets_are_not_in_the_repr() -> None:
    assert "hunter2" not in repr(Settings(s3_secret_key=SecretStr("hunter2")))
