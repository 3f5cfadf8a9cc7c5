"""Modules of web/ that need no page, run in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
WAIT_S = 60

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def run(modules: str | list[str], body: str, given: object = None, *, before: str = ""):
    """The outcome of the body of an async function of ``given``, as JSON has it.

    It sees the exports of all ``modules`` as ``web``; ``before`` runs before they are loaded.
    """
    names = [modules] if isinstance(modules, str) else modules
    loaded = ", ".join(f"...await import({(WEB / name).as_uri()!r})" for name in names)
    program = f"""{before}
const web = {{ {loaded} }};
const given = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(await (async () => {{ {body} }})()));"""
    answer = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
