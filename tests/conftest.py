"""What all suites share: how hypothesis looks for counterexamples.

In CI (`CI` is set) the examples are the same in each run and no example is timed, so that a red
run is red for its change. On a developer's machine they are fresh each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("developer", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
