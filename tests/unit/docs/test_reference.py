"""The pages that are made from definitions have what the definitions have."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from nekonex.config.models import Document
from nekonex.games.profiles import slugs

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_gen", DOCS / "_gen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_that_asks_for_a_table_gets_it(generator: ModuleType) -> None:
    asked = 0
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        asked += text.count("<!-- nekonex:")
        assert "<!-- nekonex:" not in generator.on_page_markdown(text), page
    assert asked == len(generator.GENERATORS)


def test_every_key_of_every_section_is_in_the_tables(generator: ModuleType) -> None:
    text = "\n".join(generator.config_tables())
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


def test_a_range_is_told_in_the_words_of_the_error(generator: ModuleType) -> None:
    text = "\n".join(generator.config_tables())
    assert "| `key_size` | `32` | 16 or 32 |" in text
    assert "| `port` | `8080` | a whole number from 0 to 65535 (0: any free) |" in text


def test_the_text_below_a_key_is_its_meaning(generator: ModuleType) -> None:
    class Base(BaseModel):
        first: int = 1
        """One."""
        second: int = 2

    class Derived(Base):
        third: int = 3
        """Three."""

    assert generator.attribute_docstrings(Derived) == {"first": "One.", "third": "Three."}


def test_every_profile_is_in_the_table_of_titles(generator: ModuleType) -> None:
    rows = list(generator.title_table())[2:]
    assert [row.split("`")[1] for row in rows] == list(slugs())
