"""The pages that are made from definitions have what the definitions have."""

import dataclasses
import re
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel

from docs._gen import api, cli, config, limits, tables, titles, versions
from docs._gen.hook import GENERATORS, on_page_markdown
from nekonex.cli import build_app
from nekonex.config.models import Document
from nekonex.games.profiles import slugs
from nekonex.prudp.limits import CloseReason, DropReason
from nekonex.values import ERROR_CODES

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_every_generator_is_asked_for_once() -> None:
    asked = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        asked += re.findall(r"<!-- nekonex:(.+?) -->", text)
        assert "<!-- nekonex:" not in on_page_markdown(text), page
    assert sorted(asked) == sorted(GENERATORS)


def test_every_key_of_every_section_is_in_the_tables() -> None:
    text = "\n".join(config.config_tables())
    for name, info in Document.model_fields.items():
        assert f"[{name}]" in text
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            part = text.split(f"### `[{name}]`")[1].split("###")[0]
            for key, field in section.model_fields.items():
                nested = isinstance(field.annotation, type) and issubclass(
                    field.annotation, BaseModel
                )
                assert nested or f"| `{key}` |" in part


def test_a_range_is_told_in_the_words_of_the_error() -> None:
    text = "\n".join(config.config_tables())
    assert "| `key_size` | `32` | 16 or 32 |" in text
    assert "| `port` | `8080` | a whole number from 0 to 65535 (0: any free) |" in text


def test_the_text_below_a_key_is_its_meaning() -> None:
    class Base(BaseModel):
        first: int = 1
        """One."""
        second: int = 2

    class Derived(Base):
        third: int = 3
        """Three."""

    assert tables.attribute_docstrings(Derived) == {"first": "One.", "third": "Three."}


def test_every_profile_is_in_the_table_of_titles() -> None:
    rows = list(titles.title_table())[2:]
    assert [row.split("`")[1] for row in rows] == list(slugs())


def test_every_command_has_a_section() -> None:
    text = "\n".join(cli.command_pages())
    paths = list(cli.command_paths(typer.main.get_command(build_app())))
    assert ("account", "add") in paths
    for path in paths:
        assert f"## `{' '.join(('nekonex', *path))}`" in text
    assert "--password-stdin" in text


def test_every_limit_has_its_default_and_a_meaning() -> None:
    text = "\n".join(limits.limit_tables())
    for cls, _ in limits.CLASSES:
        part = text.split(f"### `{cls.__name__}`")[1].split("###")[0]
        for field in dataclasses.fields(cls):
            rows = re.findall(rf"^\| `{field.name}` \| (.+) \| (.+) \|$", part, re.MULTILINE)
            ((default, meaning),) = rows
            assert meaning.strip()
            assert default.replace(",", "") in {str(field.default).lower(), f"{field.default:g}"}


def test_every_constant_has_a_meaning() -> None:
    for row in list(limits.constants())[2:]:
        assert "|  |" not in row, row


@pytest.mark.parametrize("reasons", [DropReason, CloseReason])
def test_every_reason_is_told(reasons: type[DropReason | CloseReason]) -> None:
    text = "\n".join([*limits.drop_reasons(), *limits.close_reasons()])
    assert all(str(reason) in text for reason in reasons)


def test_versions_are_those_of_the_declarations() -> None:
    text = "\n".join(versions.field_versions())
    assert "| `RVConnectionData` | `server_time` | from NEX 3.5.0 and revision 1 on |" in text
    assert "| `MatchmakeSession` | `option` | from NEX 3.5.0 on | `matchmaking` |" in text
    assert "of twice the width from NEX 4.0.0 on" in text
    methods = "\n".join(versions.method_versions())
    assert "| 10.1 | `Authentication.login` | before NEX 4.0.0 |" in methods
    assert "| 10.3 | `Authentication.request_ticket`: reply value `key` | from NEX 4.0.0" in methods


def test_every_public_name_of_the_package_is_documented() -> None:
    import nekonex

    text = "\n".join(api.api_pages())
    elsewhere = {"DateTime", "RMCError", "Result", "StationURL"}
    for name in set(nekonex.__all__) - elsewhere - {"__version__"}:
        assert f"### `nekonex.{name}`" in text
    assert all(f"### `nekonex.values.{name}`" in text for name in elsewhere)


def test_every_error_that_a_page_names_exists() -> None:
    for page in PAGES:
        for name in re.findall(r"`(\w+::\w+)`", page.read_text(encoding="utf-8")):
            assert name in ERROR_CODES, f"{page}: {name}"
