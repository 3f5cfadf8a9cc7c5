"""Run Python in the browser's interpreter, from the files a page loads, without a browser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

_HARNESS = Path(__file__).parent.parent / "web/build/run-in-pyodide.js"


class PyodideError(AssertionError):
    """The program failed; the message is its traceback."""


def run_in_pyodide(
    path_or_code: str | Path,
    *arguments: str,
    load: tuple[str, ...] = (),
    snapshot: Path | str | None = None,
) -> str:
    """Run a Python file, or source text, in Pyodide under node, and return what it printed.

    A `Path`, or a string ending in ``.py``, names a file. firstlight and pydicom can be imported;
    ``load`` names packages of the lock file (``numpy``, ``micropip``). Absolute paths among the
    arguments mean the host's files, except directly in ``/tmp``. ``snapshot`` is a file from which
    the memory comes, ``built`` for the build's own; then only firstlight can be imported.

    Raises:
        PyodideError: the program raised, or a package could not be loaded.
    """
    if isinstance(path_or_code, Path) or path_or_code.endswith(".py"):
        return _run(Path(path_or_code), arguments, load, snapshot)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "program.py"
        script.write_text(path_or_code, encoding="utf-8")
        return _run(script, arguments, load, snapshot)


def _run(
    script: Path,
    arguments: tuple[str, ...],
    load: tuple[str, ...],
    snapshot: Path | str | None,
) -> str:
    node = shutil.which("node")
    if node is None:
        raise PyodideError("node is not on the path")
    options = [] if snapshot is None else ["--snapshot", str(snapshot)]
    options += [word for name in load for word in ("--load", name)]
    command = [node, str(_HARNESS), *options, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PyodideError(done.stderr)
    return done.stdout
