"""What a network link is: its profile, and the arithmetic of bytes leaving it one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDIT_MS = 25.0
"""How much link time a late event loop may make up for; more would be a burst, less a loss."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One shared link: TCP payload bits per second each way, and the round trip of a packet."""

    down_bits_per_s: float
    up_bits_per_s: float
    rtt_ms: float

    def __post_init__(self) -> None:
        if min(self.down_bits_per_s, self.up_bits_per_s) <= 0 or self.rtt_ms < 0:
            raise ValueError(f"not a link: {self}")


PROFILES: Mapping[str, Profile] = {
    "4g": Profile(down_bits_per_s=30e6, up_bits_per_s=5e6, rtt_ms=10),
    "slow4g": Profile(down_bits_per_s=1.6e6, up_bits_per_s=0.75e6, rtt_ms=150),
    "fat": Profile(down_bits_per_s=1e9, up_bits_per_s=1e9, rtt_ms=30),
}


class TokenBucket:
    """Says when bytes have left a link that sends one after another; has no clock of its own.

    An idle link saves nothing up: bytes never leave earlier than their time on the wire after
    they were ready. Only lateness of the caller is made up for, up to ``credit_ms``.
    """

    def __init__(self, bits_per_s: float, credit_ms: float = CREDIT_MS) -> None:
        self._s_per_byte = 8 / bits_per_s
        self._credit_s = credit_ms / 1000
        self._free_at_s = float("-inf")

    @property
    def free_at_s(self) -> float:
        """When the link has sent everything it was given."""
        return self._free_at_s

    def send(self, length_bytes: int, *, ready_s: float, now_s: float) -> float:
        """Put bytes that waited since ``ready_s`` on the link; returns when the last has left."""
        start_s = max(self._free_at_s, ready_s, now_s - self._credit_s)
        self._free_at_s = start_s + length_bytes * self._s_per_byte
        return self._free_at_s
