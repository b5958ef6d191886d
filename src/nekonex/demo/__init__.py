"""The demo: a real server and simulated consoles, told chapter by chapter.

To add a chapter, add a module to `nekonex.demo.chapters` and put it on the list there.
"""

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import MissingClientsError
from nekonex.demo.stage import Stage, Step
from nekonex.demo.story import run_demo, tell

__all__ = ["Chapter", "MissingClientsError", "Stage", "Step", "run_demo", "tell"]
