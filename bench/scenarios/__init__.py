"""The scenarios, in the order in which they run."""

from bench.scenarios.image import IMAGE
from bench.scenarios.scroll import PLANES, UNLOADED
from bench.scenarios.series import SERIES
from bench.scenarios.start import COLD, COLD_SERIES, PYTHON, WARM

SCENARIOS = {
    each.name: each for each in (IMAGE, SERIES, UNLOADED, COLD, COLD_SERIES, WARM, PYTHON, PLANES)
}
