"""One error out of a group of tasks."""

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


def first_error(group: BaseExceptionGroup[E]) -> E:
    """The first error of a TaskGroup that failed: the others followed from it."""
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error
