"""What to fetch, decode, cancel and drop next; README.md defines the states and the rules."""

from firstlight.schedule.capacity import Capacity
from firstlight.schedule.scheduler import Scheduler

__all__ = ["Capacity", "Scheduler"]
