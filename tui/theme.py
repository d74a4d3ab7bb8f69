"""Peyk's colours. Everything else speaks of them by token (`$primary`, `$success`)."""

from typing import Final

from textual.theme import Theme

PEYK: Final = Theme(
    name="peyk",
    primary="#3fb6a8",
    secondary="#6c8cd5",
    accent="#e8b04b",
    success="#7bc96f",
    warning="#e8b04b",
    error="#e5706b",
    foreground="#d9e2e7",
    background="#0f1519",
    surface="#151d23",
    panel="#1f2a32",
    dark=True,
)
