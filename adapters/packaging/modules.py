"""Which modules of ours a function needs: what its entry and its host import, found by reading, not by running."""

import ast
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from shared.errors import Misconfigured

ROOTS: Final = ("adapters", "events", "functions", "shared")
"""The packages of the house that may run in a cloud."""
_SHARED: Final = ("azure", "azure.data", "azure.storage", "google", "google.cloud")
"""Packages of others that have nothing of their own: what is imported from them are modules."""


@dataclass(frozen=True, slots=True)
class Import:
    """`module` imports `name` in `line`; `late`: inside a function, when that is called."""

    module: str
    name: str
    line: int
    late: bool


@dataclass(slots=True)
class Closure:
    """`modules`: each module of ours, with the import that first asked for it (None: it was asked for itself).

    `libraries`: each module of others, with every import that asks for it.
    """

    modules: dict[str, Import | None] = field(default_factory=dict)
    libraries: dict[str, list[Import]] = field(default_factory=dict)


class Sources:
    """The modules of ours under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tree = cache(self._parsed)
        self.imports_of = cache(self._imports_of)
        self.attributes = cache(self._attributes)

    def path(self, module: str) -> Path | None:
        """Its file, or None when there is no such module of ours."""
        if module.partition(".")[0] not in ROOTS:
            return None
        path = self.folder.joinpath(*module.split("."))
        package = path / "__init__.py"
        if package.is_file():
            return package
        file = path.with_suffix(".py")
        return file if file.is_file() else None

    def file(self, module: str) -> Path:
        """The file of a module that there is."""
        path = self.path(module)
        if path is None:
            raise AssertionError(f"there is no {module}")
        return path

    def closure(self, entries: Iterable[str], left_out: Callable[[str], bool]) -> Closure:
        """What the entries import, and what that imports; inside functions too, except what is left out there.

        Breadth first, so that each module is told by its shortest chain.
        """
        found = Closure()
        waiting: deque[tuple[str, Import | None]] = deque((entry, None) for entry in entries)
        while waiting:
            module, asked_by = waiting.popleft()
            if module in found.modules:
                continue
            if self.path(module) is None:
                where = f", which {asked_by.module} imports in line {asked_by.line}" if asked_by else ""
                raise Misconfigured(f"There is no module {module}{where}. The checkout is not complete.")
            found.modules[module] = asked_by
            parent = module.rpartition(".")[0]
            if parent:
                waiting.append((parent, asked_by))
            for each in self.imports_of(module):
                if each.late and left_out(each.name):
                    continue
                if each.name.partition(".")[0] in ROOTS:
                    waiting.append((each.name, each))
                elif each.name.partition(".")[0] not in sys.stdlib_module_names:
                    found.libraries.setdefault(each.name, []).append(each)
        return found

    def _imports_of(self, module: str) -> tuple[Import, ...]:
        path = self.file(module)
        tree = self._tree(module)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        return tuple(
            Import(module, name, line, late)
            for node, late in _running(tree)
            for name, line in self._named(node, package)
        )

    def _attributes(self, module: str) -> frozenset[str]:
        """Every name that stands behind a dot in a module."""
        return frozenset(node.attr for node in ast.walk(self._tree(module)) if isinstance(node, ast.Attribute))

    def _parsed(self, module: str) -> ast.Module:
        path = self.file(module)
        return ast.parse(path.read_bytes(), str(path))

    def _named(self, node: ast.AST, package: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            members = [f"{base}.{alias.name}" for alias in node.names]
            modules = [each for each in members if self.path(each) is not None]
            if base in _SHARED:
                modules = members
            elif len(modules) < len(members) or not modules:
                yield base, node.lineno
            for each in modules:
                yield each, node.lineno
        elif isinstance(node, ast.Call) and _is_import_module(node.func) and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, node.lineno


def chain(closure: Closure, module: str) -> list[Import]:
    """The imports that lead from an entry to a module of ours, in order."""
    steps: list[Import] = []
    asked_by = closure.modules[module]
    while asked_by is not None:
        steps.append(asked_by)
        asked_by = closure.modules[asked_by.module]
    return steps[::-1]


def _running(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that must be able to run, and whether it stands inside a function.

    Not what only a type checker reads, and not what a module does without when it cannot be imported.
    """
    waiting = [(tree, False)]
    while waiting:
        node, late = waiting.pop()
        yield node, late
        late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting.extend((each, late) for each in _below(node))


def _below(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=unread) if _is_type_checking(test):
            pass
        case ast.Try(body=unread, handlers=handlers) if any(map(_does_without, handlers)):
            pass
        case _:
            unread = []
    return (each for each in ast.iter_child_nodes(node) if each not in unread)


def _does_without(handler: ast.ExceptHandler) -> bool:
    """Whether it goes on after an import that failed, rather than say so."""
    caught = {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)} if handler.type else set()
    raises = any(isinstance(each, ast.Raise) for each in ast.walk(handler))
    return bool(caught & {"ImportError", "ModuleNotFoundError"}) and not raises


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _is_import_module(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name == "import_module"


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base
