"""The directions and bounds of the code base, each rule with a proof that it can fail."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "py/firstlight"

RANKS = {
    **dict.fromkeys(("", "ranges", "errors"), 0),
    **dict.fromkeys(("ports", "j2k", "dicom", "dicomweb", "jpip"), 1),
    **dict.fromkeys(("sources", "volume"), 2),
    "retrieve": 3,
    "schedule": 4,
    "loader": 5,
    **dict.fromkeys(("adapters", "prepare", "serve", "check", "page"), 6),
    **dict.fromkeys(("cli", "__main__"), 7),
}
"""A module imports from its own rank or a lower one; "" is the package itself."""

MAX_MODULE_LINES = 320
MAX_FUNCTION_LINES = 60
PYODIDE_ADAPTER = "adapters/pyodide.py"
THE_FETCH = "web/transport/exchange.js"

PYTHON_FILES = sorted(PACKAGE.rglob("*.py"))
SCRIPT_FILES = sorted([*ROOT.glob("web/**/*.js"), *ROOT.glob("wasm/**/*.js")])


def name_in_package(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def name_in_root(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def part_of(name: str) -> str:
    """The part of the package, a key of `RANKS`, that a module's path lies in."""
    first = name.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(name: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a module of the package imports."""
    package = ["firstlight", *name.split("/")[:-1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def upward_arrows(name: str, source: str) -> list[str]:
    found = []
    for line, target in imports(name, source):
        if target.split(".")[0] != "firstlight":
            continue
        # `from firstlight import x` may name a module or something in the package's __init__.
        part = target.split(".")[1] if "." in target else ""
        if RANKS[part_of(name)] < RANKS.get(part, 0):
            found.append(f"{name}:{line} imports {target}")
    return found


def browser_imports(name: str, source: str) -> list[str]:
    if name == PYODIDE_ADAPTER:
        return []
    browser = {"js", "pyodide", "pyodide_js", "_pyodide"}
    return [
        f"{name}:{n} imports {t}" for n, t in imports(name, source) if t.split(".")[0] in browser
    ]


def pydicom_imports(name: str, source: str) -> list[str]:
    if name == "dicom/metadata.py" or part_of(name) in {"prepare", "cli"}:
        return []
    return [
        f"{name}:{n} imports {t}" for n, t in imports(name, source) if t.split(".")[0] == "pydicom"
    ]


def waiting(name: str, source: str) -> list[str]:
    """Everything asynchronous in the scheduler, which decides and never waits."""
    if part_of(name) != "schedule":
        return []
    kinds = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
    nodes = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    modules = [line for line, target in imports(name, source) if target.split(".")[0] == "asyncio"]
    return [f"{name}:{line} waits" for line in sorted(nodes + modules)]


def long_functions(name: str, source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                found.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    return found


def long_module(name: str, source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"{name} has {lines} lines"] if lines > MAX_MODULE_LINES else []


STRING_OR_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
FETCH = re.compile(r"(?:(?<![.#\w])|\b(?:self|globalThis|window)\.)fetch\s*\(")


def closing_parenthesis(script: str, opening: int) -> int:
    """Index after the parenthesis that closes the one at `opening`."""
    depth = 0
    for index in range(opening, len(script)):
        depth += {"(": 1, ")": -1}.get(script[index], 0)
        if depth == 0:
            return index + 1
    return len(script)


def fetches(source: str) -> int:
    """Number of calls of the global `fetch`; a method of that name is another thing."""
    script = STRING_OR_COMMENT.sub(lambda match: match[1] or " ", source)
    calls = 0
    for match in FETCH.finditer(script):
        after = script[closing_parenthesis(script, match.end() - 1) :].lstrip()
        is_definition = after.startswith("{")
        calls += not is_definition
    return calls


PYTHON_RULES = [
    upward_arrows,
    browser_imports,
    pydicom_imports,
    waiting,
    long_functions,
    long_module,
]


@pytest.mark.parametrize("rule", PYTHON_RULES)
def test_python_follows(rule):
    complaints = [c for f in PYTHON_FILES for c in rule(name_in_package(f), f.read_text("utf-8"))]
    assert not complaints, "\n".join(complaints)


def test_every_part_of_the_package_has_a_rank():
    unknown = {part_of(name_in_package(file)) for file in PYTHON_FILES} - RANKS.keys()
    assert not unknown, f"give {sorted(unknown)} a place in RANKS"


def test_scripts_are_short():
    complaints = [
        c for f in SCRIPT_FILES for c in long_module(name_in_root(f), f.read_text("utf-8"))
    ]
    assert not complaints, "\n".join(complaints)


def test_one_fetch_in_the_page():
    page = [f for f in SCRIPT_FILES if not f.is_relative_to(ROOT / "web/build")]
    calls = {name_in_root(file): fetches(file.read_text("utf-8")) for file in page}
    assert {name: count for name, count in calls.items() if count} == {THE_FETCH: 1}


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (upward_arrows, "j2k/markers.py", "from firstlight.sources import open_source"),
        (upward_arrows, "ports.py", "import firstlight.loader.run"),
        (upward_arrows, "schedule/order.py", "def f():\n    from firstlight import loader"),
        (upward_arrows, "dicom/uids.py", "from ..schedule.states import State"),
        (upward_arrows, "sources/base.py", "from ..cli import main"),
        (upward_arrows, "ranges.py", "from . import prepare"),
        (upward_arrows, "serve/app.py", "if TYPE_CHECKING:\n    from firstlight.cli import serve"),
        (browser_imports, "loader/run.py", "from js import fetch"),
        (browser_imports, "adapters/http.py", "import pyodide.ffi"),
        (pydicom_imports, "dicom/part10.py", "from pydicom.filereader import dcmread"),
        (pydicom_imports, "sources/local.py", "import pydicom"),
        (waiting, "schedule/scheduler.py", "async def f():\n    pass"),
        (waiting, "schedule/order.py", "from asyncio import Queue"),
        (long_functions, "loader/run.py", "def f():\n" + "    pass\n" * MAX_FUNCTION_LINES),
        (long_module, "loader/run.py", "a = 1\n" * (MAX_MODULE_LINES + 1)),
    ],
)
def test_a_rule_finds(rule, name, source):
    assert rule(name, source)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (upward_arrows, "loader/run.py", "from firstlight.schedule import Scheduler"),
        (upward_arrows, "schedule/order.py", "from . import states\nfrom .. import ports"),
        (upward_arrows, "j2k/index.py", "from firstlight import errors, ports"),
        (browser_imports, PYODIDE_ADAPTER, "from js import Object"),
        (pydicom_imports, "dicom/metadata.py", "import pydicom"),
        (waiting, "loader/run.py", "async def f():\n    await g()"),
        (long_functions, "loader/run.py", "def f():\n" + "    pass\n" * (MAX_FUNCTION_LINES - 1)),
        (long_module, "loader/run.py", "a = 1\n" * MAX_MODULE_LINES),
    ],
)
def test_a_rule_allows(rule, name, source):
    assert not rule(name, source)


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ("const a = await fetch(url);", 1),
        ("self.fetch(url); globalThis.fetch (url)", 2),
        ("fetch(f(1), { a: 2 }).then(b)", 1),
        ("const url = 'https://a/b'; fetch(url)", 1),
        ("// fetch(url)\n/* fetch(url) */", 0),
        ("port.fetch(url); this.#fetch(url); prefetch(url)", 0),
        ("class A { fetch(url, f = g()) { return 1 } }", 0),
    ],
)
def test_calls_of_fetch_are_counted(script, calls):
    assert fetches(script) == calls
