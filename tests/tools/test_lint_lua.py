"""The check of Lua scripts finds what it is for, and nothing in ours."""

from pathlib import Path

import pytest

from tools.lint_lua import FOLDER, lint, main

CLEAN = """#!lua flags=no-writes
local reply, first = {}, {kind = 'x', [limits.model] = 1}
for index, value in ipairs(ARGV) do
  reply[index] = helper(value).name
end
local function recurse(depth, ...)
  if depth > 0 then return recurse(depth - 1, ...) end
  return function(_) return first end
end
repeat
  local done = recurse(1)
until done
return reply
"""


def problems(folder: Path, script: str, common: str = "local function helper(x) return x end\n") -> list[str]:
    (folder / "common.lua").write_text(common)
    (folder / "script.lua").write_text(script)
    return [problem.removeprefix(f"{folder.name}/") for problem in lint(folder)]


def test_our_scripts_have_no_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(FOLDER) == 0, capsys.readouterr().out


def test_a_clean_script_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("return helper(misspelt)", "1: undefined global 'misspelt'"),
        ("misspelt = helper(1)", "1: assigned global 'misspelt'"),
        ("function misspelt() return helper(1) end", "1: function that isn't local"),
        ("local unused = helper(1)", "1: unused local 'unused'"),
        ("local unused = helper(1)\nunused = 2", "1: unused local 'unused'"),
        ("for key, value in pairs(helper({})) do redis.call(key) end", "1: unused local 'value'"),
        ("local helper = helper(1)\nreturn helper", "1: local 'helper' hides another"),
        ("local a = helper(1)\nif a then local a = 2; return a end", "2: local 'a' hides another"),
        ("do local inner = 1; redis.call(inner) end\nreturn helper(inner)", "2: undefined global 'inner'"),
        (f"return helper('{'x' * 120}')", "1: line of 137 characters"),
    ],
)
def test_a_problem_is_found(tmp_path: Path, line: str, found: str) -> None:
    assert problems(tmp_path, line) == [f"script.lua:{found}"]


def test_a_syntax_error_is_found(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "local = 3\n", common="")
    assert found.startswith("script.lua:1: syntax error")


def test_a_helper_that_no_script_uses_is_found(tmp_path: Path) -> None:
    assert problems(tmp_path, "return 1\n") == ["common.lua:1: unused local 'helper'"]
