"""Random nodes of com.microsoft: a generator for each op, by its name, which fills in a case."""

from . import attention, group_query, simple
from .case import Case

GENERATORS = simple.GENERATORS | attention.GENERATORS | group_query.GENERATORS

__all__ = ["GENERATORS", "Case"]
