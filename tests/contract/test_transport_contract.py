"""Both transports keep the contract of `firstlight.ports.Transport`."""

from __future__ import annotations

import pytest

from contract.transport_contract import CASES, Case, run_case
from contract.transport_drivers import Runner, checkout_url, run, transport_page

__all__ = ["checkout_url", "run", "transport_page"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_transport(case: Case, run: Runner) -> None:
    run_case(case, run)
