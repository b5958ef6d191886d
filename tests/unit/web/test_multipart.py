"""Forms, however they are cut."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.web.limits import HttpLimits
from nekonex.web.multipart import Field, FileData, FileEnd, FileStart, FormError, FormReader
from tests.support.uploads import BOUNDARY, encode_form

KIND = f"multipart/form-data; boundary={BOUNDARY}"
LIMITS = HttpLimits()
MARK = f"\r\n--{BOUNDARY}".encode()
FIELDS = [("key", "ghosts/ü.bin"), ("policy", "abc="), ("Empty", "")]

# Contents that look like the end of the part, and nearly so.
TRICKY = st.lists(
    st.sampled_from(
        [
            b"\r",
            b"\n",
            b"-",
            b"\r\n",
            b"\r\n-",
            b"\r\n--",
            MARK[:-1],
            MARK + b"x",
            b"x",
            MARK + b"-x",
        ]
    ),
    max_size=8,
).map(b"".join)


def read(pieces: list[bytes], limits: HttpLimits = LIMITS) -> tuple[list[tuple[str, str]], bytes]:
    """Return the fields and the file of a whole form."""
    reader = FormReader(KIND, limits)
    events = [event for piece in pieces for event in reader.feed(piece)]
    reader.close()
    fields = [(event.name, event.value) for event in events if isinstance(event, Field)]
    kinds = [type(event) for event in events if not isinstance(event, Field | FileData)]
    assert kinds == [FileStart, FileEnd]
    assert isinstance(events[-1], FileEnd)
    return fields, b"".join(event.content for event in events if isinstance(event, FileData))


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


EXPECTED = [("key", "ghosts/ü.bin"), ("policy", "abc="), ("empty", "")]


def test_byte_by_byte() -> None:
    content = b"a\r\n--" + MARK[:-1] + b"\r\nz\0\xff"
    body = encode_form(FIELDS, content)
    assert read([body[place : place + 1] for place in range(len(body))]) == (EXPECTED, content)


def test_cut_once_anywhere() -> None:
    content = b"\r\n" + MARK[:-1] + b"\r"
    body = encode_form(FIELDS, content)
    for place in range(len(body)):
        assert read([body[:place], body[place:]]) == (EXPECTED, content)


@given(TRICKY | st.binary(max_size=200), st.lists(st.integers(0, 2000), max_size=6))
def test_cut_anywhere(content: bytes, places: list[int]) -> None:
    body = encode_form(FIELDS, content)
    assert read(cut(body, places)) == (EXPECTED, content)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_anything_at_all_is_a_form_or_none(body: bytes, places: list[int]) -> None:
    reader = FormReader(KIND, LIMITS)

    def read_all() -> None:
        for piece in cut(body, places):
            reader.feed(piece)
        reader.close()

    with pytest.raises(FormError):
        read_all()


@pytest.mark.parametrize(
    "head",
    [
        'name="file"',
        'name="file"; filename="data.bin"',
        'name="File"',
        'name="x"; filename=""',
        "name=file",
    ],
)
def test_these_are_files(head: str) -> None:
    assert read([encode_form(FIELDS, b"content", file_head=head)]) == (EXPECTED, b"content")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"{KIND}{'x' * 300}",
    ],
)
def test_other_kinds_of_content_are_refused(kind: str) -> None:
    with pytest.raises(FormError):
        FormReader(kind, LIMITS)


def test_the_boundary_may_be_in_quotes() -> None:
    FormReader(
        f'Multipart/Form-Data; Boundary="{BOUNDARY}"'.replace("Boundary", "boundary"), LIMITS
    )


def test_what_comes_after_the_file_does_not_count() -> None:
    body = encode_form([], b"content").removesuffix(b"--\r\n")
    after = b'\r\nContent-Disposition: form-data; name="key"\r\n\r\nother' + MARK + b"--\r\n"
    reader = FormReader(KIND, LIMITS)
    events = reader.feed(body + after)
    reader.close()
    assert events == [FileStart(), FileData(b"content"), FileEnd()]


def refused(body: bytes, **limits: Any) -> str:
    with pytest.raises(FormError) as caught:
        read([body], dataclasses.replace(LIMITS, **limits))
    return str(caught.value)


def test_two_files_are_refused() -> None:
    one = encode_form([], b"1").removesuffix(f"--{BOUNDARY}--\r\n".encode())
    assert "two files" in refused(one + encode_form([], b"2"))


def test_a_form_that_breaks_off_is_refused() -> None:
    body = encode_form(FIELDS, b"content")
    assert refused(body[:-6]) == "the form breaks off"
    assert refused(b"") == "the form breaks off"


def test_parts_have_names_in_utf8() -> None:
    assert "no name" in refused(encode_form([], b"", file_head="filename=x"))
    body = encode_form([("key", "ü")], b"")
    assert "UTF-8" in refused(body.replace("ü".encode(), b"\xfc"))


def test_a_form_is_bounded() -> None:
    assert "too many parts" in refused(encode_form(FIELDS, b""), max_fields=3)
    assert "too long" in refused(encode_form([("key", "x" * 11)], b""), field_bytes=10)
    assert "too large" in refused(encode_form(FIELDS, b"x" * 900), form_bytes=300)
    read([encode_form(FIELDS, b"x" * 900)], dataclasses.replace(LIMITS, form_bytes=500))
    long_head = 'name="file"; filename="' + "x" * 100 + '"'
    assert "header size" in refused(encode_form([], b"", file_head=long_head), part_header_bytes=90)


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="field_bytes of the HTTP port"):
        HttpLimits(field_bytes=0)
