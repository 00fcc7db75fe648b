"""Which process runs which test: what is about the same, in the same one.

JAX compiles every operation for every shape, once a process. Two processes that share the tests of
one loss between them compile much of what it does twice: a sixth of all graphs.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling


class ByObject(LoadScopeScheduling):  # type: ignore[misc]
    """Units of work: the tests of one loss, metric or distribution, and the others of one file."""

    def _split_scope(self, nodeid: str) -> str:
        """The first name in capitals of a test's parameters, or its file."""
        file, _, test = nodeid.partition("::")
        found = re.search(r"\[.*?\b([A-Z]\w{2,})", test)
        return found[1] if found else file
