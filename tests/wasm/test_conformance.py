"""Every frame of every shared file: equal, within tolerance, or refused by name; never wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wasm.conformance import (
    EQUAL,
    NEAR,
    NO_REFERENCE,
    NOT_READ,
    REFUSED,
    WRONG,
    Outcome,
    load_cases,
    run_cases,
    table,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

UNSUPPORTED = "UnsupportedTransferSyntax"
RIGHTLY_REFUSED = {
    # components of different sizes
    "iso15444-4/ds0_hm_06_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_02_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_06_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_06_b15.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_10_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds1_ht_01_b11.j2k": UNSUPPORTED,
    "iso15444-4/p0_10.j2k": UNSUPPORTED,
    "iso15444-4/p1_01.j2k": UNSUPPORTED,
    "openjph-tests/simple_dec_rev53_64x64_yuv.jph": UNSUPPORTED,
    # quality layers with HT code-blocks, which no open decoder reads
    "iso15444-4/ds0_ht_03_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_04_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds0_ht_15_b11.j2k": UNSUPPORTED,
    "iso15444-4/ds1_ht_02_b11.j2k": UNSUPPORTED,
    # three components of 12 bits, which the OpenJPEG module leaves out
    "iso15444-4/hifi_p1_02.j2k": UNSUPPORTED,
}


@pytest.fixture(scope="module")
def outcomes(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    folder = tmp_path_factory.mktemp("conformance")
    return run_cases(load_cases(shared_data), shared_data, folder)


def names(outcomes: list[Outcome], verdict: str) -> dict[str, str]:
    return {each.case.name: each.detail for each in outcomes if each.verdict == verdict}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_is_wrong(outcomes: list[Outcome]) -> None:
    assert names(outcomes, WRONG) == {}
    assert names(outcomes, NO_REFERENCE) == {}
    print(table(outcomes))
    verdicts = [outcome.verdict for outcome in outcomes]
    assert verdicts.count(EQUAL) >= 640
    assert verdicts.count(NEAR) >= 18


def test_only_what_cannot_be_decoded_is_refused(outcomes: list[Outcome]) -> None:
    refused = names(outcomes, REFUSED)
    errors = {name: detail.split(":")[0] for name, detail in refused.items()}
    assert {k: v for k, v in errors.items() if not k.startswith("negative/")} == RIGHTLY_REFUSED
    assert all(name.startswith("negative/") for name in names(outcomes, NOT_READ))


def test_no_codec_breaks_or_hangs(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert " broke: " not in outcome.detail
        assert not outcome.detail.startswith("Hang")


def test_headers_that_announce_too_much_are_named_so(outcomes: list[Outcome]) -> None:
    refused = names(outcomes, REFUSED)
    assert refused["negative/j2k/broken.jpc"].startswith("LimitExceeded")
