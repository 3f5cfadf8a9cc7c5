"""Modules of web/ that need no page, run in node."""

from __future__ import annotations

import atexit
import json
import queue
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread

import pytest

from support.patience import WAIT_S

WEB = Path(__file__).resolve().parents[2] / "web"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

PROGRAM = """
import readline from 'node:readline';
const AsyncFunction = (async () => {}).constructor;
const answer = async ({ before, modules, body, given }) => {
    (0, eval)(before);
    const loaded = await Promise.all(modules.map((module) => import(module)));
    const run = new AsyncFunction('web', 'given', `'use strict';\\n${body}`);
    return { value: await run(Object.assign({}, ...loaded), given) };
};
for await (const line of readline.createInterface({ input: process.stdin }))
    console.log(JSON.stringify(
        await answer(JSON.parse(line)).catch((error) => ({ error: error.stack ?? String(error) })),
    ));
"""


class Node:
    """A process that runs one body after the other; modules are loaded once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "--input-type=module", "-e", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        Thread(target=self._read, daemon=True).start()
        atexit.register(self.close)

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()

    def run(self, **order: object):
        """The outcome of one body; fails the test where it throws, ends node or does not end."""
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=WAIT_S)
            assert line, "node has ended"
        except BaseException:
            self.close()
            _shared.cache_clear()
            raise
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer.get("value")


@cache
def _shared() -> Node:
    return Node()


def run(modules: str | list[str], body: str, given: object = None, *, before: str = ""):
    """The outcome of the body of an async function of ``given``, as JSON has it.

    It sees the exports of all ``modules`` as ``web``. ``before`` runs before they are loaded, in
    a process of its own.
    """
    names = [modules] if isinstance(modules, str) else modules
    order = {
        "before": before,
        "modules": [(WEB / name).as_uri() for name in names],
        "body": body,
        "given": given,
    }
    if not before:
        return _shared().run(**order)
    alone = Node()
    try:
        return alone.run(**order)
    finally:
        alone.close()
