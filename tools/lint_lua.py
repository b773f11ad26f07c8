"""Checks the Lua scripts of the job store: `python tools/lint_lua.py [FOLDER]`.

Finds syntax errors, undefined and assigned globals, unused locals, locals that hide another, and lines over 120
characters. Each script is checked as Redis runs it: with `limits`, common.lua and the files of its line `-- uses: …`
before it. A name that begins with an underscore may be unused. Exits with 1 if it finds anything.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from luaparser import ast
from luaparser import astnodes as nodes
from luaparser.ast import SyntaxException

FOLDER = Path(__file__).parents[1] / "riffusion" / "jobs" / "lua"
COMMON = "common"
MAX_LINE = 120
USES = re.compile(r"^-- uses: (.*)$", re.MULTILINE)
GLOBALS = frozenset({
    "limits",  # riffusion/jobs/database.py puts it before each script
    "ARGV", "KEYS", "cjson", "redis",
    "ipairs", "math", "next", "pairs", "select", "string", "table", "tonumber", "tostring", "type", "unpack",
})  # fmt: skip


@dataclass
class Local:
    """One declaration."""

    name: str
    line: int
    used: bool = False


@dataclass
class Scope:
    """The locals of a block, and the block around it."""

    outer: "Scope | None" = None
    locals: dict[str, Local] = field(default_factory=dict)

    def find(self, name: str) -> Local | None:
        """The declaration that a name refers to here."""
        return self.locals.get(name) or (self.outer.find(name) if self.outer else None)


class Checker:
    """Walks the tree of one script and collects its problems, as (line, message)."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self._line = 1

    def check(self, source: str, outer: Scope | None = None) -> Scope:
        """Checks a script within a scope, and returns the scope of its own top level, still open."""
        scope = Scope(outer)
        for self._line, line in enumerate(source.splitlines(), 1):
            if len(line) > MAX_LINE:
                self._report(f"line of {len(line)} characters")
        self._line = 1
        try:
            # A shebang is no Lua; behind a comment it is still one line.
            tree = ast.parse(f"--{source}" if source.startswith("#!") else source)
        except SyntaxException as error:
            self._report(str(error))
        else:
            self._visit_all(tree.body.body, scope)
        return scope

    def close(self, scope: Scope) -> None:
        """Reports the locals that were never read."""
        for local in scope.locals.values():
            if not local.used and not local.name.startswith("_"):
                self._report(f"unused local '{local.name}'", local.line)

    def _report(self, message: str, line: int | None = None) -> None:
        self.problems.append((line or self._line, message))

    def _declare(self, name: Any, scope: Scope) -> None:
        if scope.find(name.id) is not None and name.id != "_":
            self._report(f"local '{name.id}' hides another")
        scope.locals[name.id] = Local(name.id, self._line)

    def _block(self, body: Any, scope: Scope, names: Any = (), last: Any = None) -> None:
        """A block with its own scope, in which `names` are declared; the expression `last` belongs to it, too."""
        inner = Scope(scope)
        for name in names:
            if isinstance(name, nodes.Name):  # and not the parameter `...`
                self._declare(name, inner)
        self._visit_all(body.body, inner)
        self._visit(last, inner)
        self.close(inner)

    def _visit_all(self, children: Iterable[Any], scope: Scope) -> None:
        for child in children:
            self._visit(child, scope)

    def _visit(self, node: Any, scope: Scope) -> None:
        self._line = getattr(node, "line", None) or self._line  # names in declarations have none
        self._visit_one(node, scope)

    @singledispatchmethod
    def _visit_one(self, node: Any, scope: Scope) -> None:
        if isinstance(node, nodes.Node):
            self._visit_all(_children(node), scope)

    @_visit_one.register
    def _(self, node: nodes.Name, scope: Scope) -> None:
        found = scope.find(node.id)
        if found is not None:
            found.used = True
        elif node.id not in GLOBALS:
            self._report(f"undefined global '{node.id}'")

    @_visit_one.register
    def _(self, node: nodes.LocalAssign, scope: Scope) -> None:
        self._visit_all(node.values, scope)  # they don't see the new names yet
        for name in node.targets:
            self._declare(name, scope)

    @_visit_one.register
    def _(self, node: nodes.Assign, scope: Scope) -> None:
        self._visit_all(node.values, scope)
        for target in node.targets:
            if not isinstance(target, nodes.Name):
                self._visit(target, scope)
            elif scope.find(target.id) is None:
                self._report(f"assigned global '{target.id}'")

    @_visit_one.register
    def _(self, node: nodes.LocalFunction, scope: Scope) -> None:
        self._declare(node.name, scope)
        self._block(node.body, scope, node.args)

    @_visit_one.register
    def _(self, node: nodes.AnonymousFunction, scope: Scope) -> None:
        self._block(node.body, scope, node.args)

    @_visit_one.register(nodes.Function)
    @_visit_one.register(nodes.Method)
    def _(self, node: Any, scope: Scope) -> None:
        self._report("function that isn't local")
        self._block(node.body, scope, node.args)

    @_visit_one.register
    def _(self, node: nodes.Fornum, scope: Scope) -> None:
        self._visit_all((node.start, node.stop, node.step), scope)
        self._block(node.body, scope, (node.target,))

    @_visit_one.register
    def _(self, node: nodes.Forin, scope: Scope) -> None:
        self._visit_all(node.iter, scope)
        self._block(node.body, scope, node.targets)

    @_visit_one.register
    def _(self, node: nodes.Repeat, scope: Scope) -> None:
        self._block(node.body, scope, last=node.test)

    @_visit_one.register
    def _(self, node: nodes.Block, scope: Scope) -> None:
        self._block(node, scope)

    @_visit_one.register
    def _(self, node: nodes.Index, scope: Scope) -> None:
        self._visit(node.value, scope)
        if node.notation is nodes.IndexNotation.SQUARE:
            self._visit(node.idx, scope)

    @_visit_one.register
    def _(self, node: nodes.Field, scope: Scope) -> None:
        self._visit(node.value, scope)
        if node.between_brackets:
            self._visit(node.key, scope)

    @_visit_one.register
    def _(self, node: nodes.Invoke, scope: Scope) -> None:
        self._visit_all((node.source, *node.args), scope)


def _children(node: Any) -> Iterator[Any]:
    for name, value in vars(node).items():
        if not name.startswith("_") and name != "comments":
            yield from value if isinstance(value, list) else (value,)


def lint(folder: Path) -> list[str]:
    """The problems of a folder's scripts, as `file:line: message`."""
    texts = {path.stem: path.read_text() for path in sorted(folder.glob("*.lua"))}
    checkers = {name: Checker() for name in texts}
    parts = {COMMON: checkers[COMMON].check(texts[COMMON])}
    for name, text in texts.items():
        if name != COMMON and not text.startswith("#!"):
            parts[name] = checkers[name].check(text, parts[COMMON])
    for name in texts.keys() - parts.keys():
        uses = USES.search(texts[name])
        outer = Scope(parts[COMMON])
        for part in uses[1].split(", ") if uses else ():
            outer.locals |= parts[part].locals
        checkers[name].close(checkers[name].check(texts[name], outer))
    for name, scope in parts.items():
        checkers[name].close(scope)
    return [
        f"{folder.name}/{name}.lua:{line}: {message}"
        for name, checker in checkers.items()
        for line, message in sorted(checker.problems)
    ]


def main(folder: Path) -> int:
    """Prints the problems; the exit status is 1 if there are any."""
    problems = lint(folder)
    print("\n".join(problems) or "No problems in the Lua scripts.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
