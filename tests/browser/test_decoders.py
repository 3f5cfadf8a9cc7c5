"""A decoder that dies takes no image with it."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.browser

# The page's own Worker class, so that the test can end real workers as the browser would.
KEEP_WORKERS = """
    window.workers = [];
    const Real = Worker;
    window.Worker = class extends Real {
        constructor(url, options) {
            super(url, options);
            window.workers.push(this);
            this.label = options?.name;
        }
    };
"""


def test_a_dead_decoder_is_replaced_and_its_jobs_run_again(serve, stack):
    viewer, _ = serve(stack)
    viewer.page.add_init_script(KEEP_WORKERS)
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.element("ready")
    viewer.page.evaluate(
        """() => {
            const decoders = workers.filter(({ label }) => label?.includes('decoder'));
            for (const decoder of decoders) {
                decoder.terminate();
                decoder.dispatchEvent(new ErrorEvent('error'));
            }
        }"""
    )
    viewer.wait_for("complete")
    made = viewer.page.evaluate("workers.filter(({ label }) => label?.includes('decoder')).length")
    assert made >= 4
    for index in range(len(stack.pixels)):
        assert np.array_equal(viewer.stored_pixels(index), stack.pixels[index]), index
