"""How long tests wait for what has to happen; one that passes does not wait."""

from __future__ import annotations

WAIT_S = 120.0
"""Many times what anything here takes: on a busy machine all of it takes many times as long."""

WAIT_MS = 1000 * WAIT_S
