"""Random nodes of com.microsoft: a generator for each op, by its name, which fills in a case."""

from . import attention, simple
from .case import Case

GENERATORS = simple.GENERATORS | attention.GENERATORS

__all__ = ["GENERATORS", "Case"]
