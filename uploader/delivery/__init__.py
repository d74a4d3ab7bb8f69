"""Carries one job's file from its link into the person's chat: shared, whole, or in volumes."""

from uploader.delivery.delivery import Delivery
from uploader.delivery.held import HeldDelivery
from uploader.delivery.lease import Lease
from uploader.delivery.report import Reporter, Watcher, Watchers
from uploader.delivery.sender import Errand

__all__ = ["Delivery", "Errand", "HeldDelivery", "Lease", "Reporter", "Watcher", "Watchers"]
