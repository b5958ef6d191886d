from __future__ import annotations

import io

import pytest

from nekonex.kerberos import derive_key
from nekonex.kerberos.derivation import REQUEST, serve_requests


def test_the_guest_key_is_the_one_that_the_wiki_publishes() -> None:
    assert derive_key("MMQea3n!fsik", 100).hex() == "9ef318f0a170fb46aab595bf9644f9e1"


def test_the_new_derivation() -> None:
    assert derive_key(b"password", 1234, 1).hex() == "cf9d63841658294f8ab5bd8eb5c6cd31"


def test_text_is_encoded_as_utf8() -> None:
    assert derive_key("pässwörd", 7, 1) == derive_key("pässwörd".encode(), 7, 1)


@pytest.mark.parametrize(("pid", "derivation"), [(1, 2), (1, -1), (-1, 0), (1 << 64, 1)])
def test_nonsense_is_refused(pid: int, derivation: int) -> None:
    with pytest.raises(ValueError, match=r"neither|not a principal id"):
        derive_key(b"x", pid, derivation)


def test_the_worker_answers_until_its_input_ends() -> None:
    requests = [(5, 1, b"one"), (6, 1, b""), (2**64 - 1, 1, b"three" * 100)]
    source = io.BytesIO(
        b"".join(REQUEST.pack(pid, kind, len(text)) + text for pid, kind, text in requests)
        + b"half a head"[: REQUEST.size - 1]
    )
    sink = io.BytesIO()
    serve_requests(source, sink)
    keys = [derive_key(text, pid, kind) for pid, kind, text in requests]
    assert sink.getvalue() == b"".join(keys)
