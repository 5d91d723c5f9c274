"""The profiles of hypothesis: no deadline, because a busy machine is not a broken law; the same examples every time in CI."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("TRADELOOP_HYPOTHESIS", "ci" if os.environ.get("CI") else "default"))
