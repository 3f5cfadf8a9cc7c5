"""Which modules of a package the page's entry points import, now or in a function called later."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def module_file(parent: Path, name: str) -> Path | None:
    """The source of a dotted name below the folder `parent`, None when there is none."""
    stem = parent.joinpath(*name.split("."))
    files = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


def run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node but the bodies of `if TYPE_CHECKING`, which never run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from run_time_nodes(child)


def imported_names(source: bytes, package: str) -> Iterator[str]:
    """Every dotted name that a module in `package` imports, or may be importing from."""
    for node in run_time_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def reachable_modules(parent: Path, entries: tuple[str, ...]) -> dict[str, Path]:
    """Dotted names and sources of the entries and of all they import below `parent`."""
    found: dict[str, Path] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        file = module_file(parent, name)
        if name in found or file is None:
            continue
        found[name] = file
        above = name.rpartition(".")[0]
        package = name if file.name == "__init__.py" else above
        waiting += [*filter(None, [above]), *imported_names(file.read_bytes(), package)]
    return dict(sorted(found.items()))
