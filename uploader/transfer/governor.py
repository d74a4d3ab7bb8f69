"""Holds a pool's plan and its pace together: what is told of parts and troubles becomes the next plan."""

import logging

from uploader.transfer.growth import Plan, after_answer, after_look, after_trouble
from uploader.transfer.pace import Pace
from uploader.transfer.patience import Patience

log = logging.getLogger(__name__)


class Governor:
    """Without I/O: the caller brings the time, of one clock in seconds, and follows `plan`."""

    def __init__(self, plan: Plan, patience: Patience) -> None:
        self.plan = plan
        self.pace = Pace(patience)
        self._saved_since_trouble = True

    def saved(self, at_s: float, *, full: bool) -> None:
        """A part was saved, which `pace` was told of; `full`: as many as planned were on their way."""
        self._saved_since_trouble = True
        look = self.pace.look(at_s, self.plan.connections)
        if look is not None:
            self._follow(after_look(self.plan, look), at_s)
        if full:
            pace = self.pace
            plan = after_answer(self.plan, at_s=at_s, answer_s=pace.answer_s, least_s=pace.least_s)
            self._follow(plan, at_s)

    def troubled(self, at_s: float, why: str) -> None:
        """Something went wrong; troubles that come together count once: what is down is not too busy."""
        if self._saved_since_trouble:
            self._saved_since_trouble = False
            self._follow(after_trouble(self.plan, at_s), at_s)
            log.info("fewer upload connections (%d): %s", self.plan.connections, why)

    def pause(self, at_s: float, *, idle: bool = False) -> None:
        """Nothing was sent for a while: measure anew; `idle`: on what may by then be another line."""
        self.pace.restart(at_s)
        if idle:
            self.pace.forget_least()

    def _follow(self, plan: Plan, at_s: float) -> None:
        if plan.connections != self.plan.connections:
            log.debug("upload connections: %d, were %d", plan.connections, self.plan.connections)
            self.pace.settle(at_s)
        elif plan.parts != self.plan.parts:
            self.pace.restart(at_s)
        self.plan = plan
