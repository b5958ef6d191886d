"""The mkdocs hook that writes the reference from the program's own definitions.

A page names the part that it wants in a comment, `<!-- nekonex:config -->` for instance. mkdocs
must be run from the folder above docs, as `python -m mkdocs`; `scripts/docs` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from docs._gen.api import api_pages
from docs._gen.cli import command_pages
from docs._gen.config import config_tables
from docs._gen.limits import (
    close_reasons,
    connect_counters,
    connect_reasons,
    constants,
    counters,
    drop_reasons,
    http_counters,
    http_reasons,
    limit_tables,
    nat_counters,
    nat_reasons,
)
from docs._gen.matchmaking import flag_table, refusal_table
from docs._gen.nekoconnect import app_members, context_members, frame_dump, plugin_values
from docs._gen.protocols import protocol_tables, variant_tables
from docs._gen.titles import title_table
from docs._gen.versions import field_versions, method_versions
from nekonex.nex import datastore, ranking, utility

__all__ = ["GENERATORS", "on_page_markdown"]

GENERATORS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "api": api_pages,
    "cli": command_pages,
    "close-reasons": close_reasons,
    "config": config_tables,
    "connect-counters": connect_counters,
    "connect-reasons": connect_reasons,
    "constants": constants,
    "counters": counters,
    "datastore-refusals": partial(refusal_table, datastore.REFUSAL_NAMES),
    "drop-reasons": drop_reasons,
    "frame-answer": partial(frame_dump, 3),
    "frame-echo": partial(frame_dump, 2),
    "frame-login": partial(frame_dump, 0),
    "frame-welcome": partial(frame_dump, 1),
    "gathering-flags": flag_table,
    "http-counters": http_counters,
    "http-reasons": http_reasons,
    "limits": limit_tables,
    "method-versions": method_versions,
    "nat-counters": nat_counters,
    "nat-reasons": nat_reasons,
    "plugin-app": app_members,
    "plugin-context": context_members,
    "plugin-values": plugin_values,
    "protocols": protocol_tables,
    "ranking-refusals": partial(refusal_table, ranking.REFUSAL_NAMES),
    "refusals": refusal_table,
    "titles": title_table,
    "utility-refusals": partial(refusal_table, utility.REFUSAL_NAMES),
    "variants": variant_tables,
    "versions": field_versions,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the comments of one page; mkdocs calls this for every page."""
    for name, write in GENERATORS.items():
        comment = f"<!-- nekonex:{name} -->"
        if comment in markdown:
            markdown = markdown.replace(comment, "\n".join(write()))
    return markdown
