"""Station URLs: what is accepted survives unchanged, the rest is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.values import StationURL

SECURE = "prudps:/address=192.0.2.1;port=60000;CID=1;PID=2;sid=1;stream=10;type=2"


@pytest.mark.parametrize(
    "text",
    [
        SECURE,
        "prudp:/",
        "udp:/address=example.net;port=0080",
        "prudp:/port=65535;made_up=0x1F;Another=;PID=4294967295",
        "prudp:/Uri=http://example.net/a b?c",
        "prudp:/natm=-1;sid=00015",
        "prudp:/address=" + "a" * 256,
    ],
)
def test_accepted_texts_survive(text: str) -> None:
    assert str(StationURL.parse(text)) == text


WORDS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";=#"), min_size=1
)


@given(
    st.sampled_from(["prudp", "prudps", "udp"]),
    st.dictionaries(WORDS, WORDS, max_size=6),
)
def test_whatever_is_accepted_survives(scheme: str, params: dict[str, str]) -> None:
    text = f"{scheme}:/" + ";".join(f"{key}={value}" for key, value in params.items())
    try:
        url = StationURL.parse(text)
    except ValueError:
        return
    assert str(url) == text
    assert url.params == params


@given(st.text(max_size=40) | WORDS.map(lambda word: f"prudp:/{word}"))
def test_any_text_is_accepted_or_a_value_error(text: str) -> None:
    try:
        url = StationURL.parse(text)
    except ValueError:
        return
    assert str(url) == (text or "prudp:/")
    assert isinstance(url.address, tuple)
    assert url.is_public in {False, True}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("prudp:/" + "a=" + "b" * 1016, "at most 1024 characters"),
        ("prudp:/address=" + "a" * 257, "at most 256 characters"),
        ("http:/address=a", "begins with"),
        ("PRUDP:/", "begins with"),
        ("prudp", "begins with"),
        ("prudp:", "begins with"),
        (" prudp:/", "begins with"),
        ("prudp:/address=a#section", "'#' section"),
        ("prudp:/address=a\n", "printable ASCII"),
        ("prudp:/address=\xe4", "printable ASCII"),
        ("prudp:/a=1\0", "printable ASCII"),
        ("prudp:/a=1;", "not 'key=value'"),
        ("prudp:/;a=1", "not 'key=value'"),
        ("prudp:/a=1;;b=2", "not 'key=value'"),
        ("prudp:/a", "not 'key=value'"),
        ("prudp:/=1", "not 'key=value'"),
        ("prudp:/a=1=2", "not 'key=value'"),
        ("prudp:/a=1;a=1", "twice"),
        ("prudp:/port=65536", "between 0 and 65535"),
        ("prudp:/port=-1", "between 0 and 65535"),
        ("prudp:/port=", "not a number"),
        ("prudp:/port=1e3", "not a number"),
        ("prudp:/type=two", "not a number"),
        ("prudp:/PID=" + "9" * 21, "not a number"),
    ],
)
def test_refused_texts(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        StationURL.parse(text)


def test_limit_is_inclusive() -> None:
    text = "prudp:/a=" + "b" * 1015
    assert len(text) == 1024
    assert str(StationURL.parse(text)) == text


def test_the_empty_text_is_the_default() -> None:
    assert StationURL.parse("") == StationURL() == StationURL.parse("prudp:/")
    assert str(StationURL()) == "prudp:/"


def test_items() -> None:
    url = StationURL.parse(SECURE + ";made_up=7")
    assert url["port"] == 60000
    assert url["address"] == "192.0.2.1"
    assert url["made_up"] == "7"
    assert url["natm"] == 0
    assert url["Uri"] == ""
    assert "PID" in url
    assert "natm" not in url
    with pytest.raises(KeyError):
        url["unheard_of"]


def test_setting_items() -> None:
    url = StationURL("prudps", address="192.0.2.1", port=1, PID=3)
    url["port"] = 2
    url["type"] = "3"
    url["other"] = "x"
    assert str(url) == "prudps:/address=192.0.2.1;port=2;PID=3;type=3;other=x"
    del url["PID"]
    assert str(url) == "prudps:/address=192.0.2.1;port=2;type=3;other=x"
    assert StationURL.parse(str(url)) == url


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", 65536),
        ("port", -1),
        ("type", "x"),
        ("address", "a" * 257),
        ("a", "b;c"),
        ("a", "b=c"),
        ("a", "b#c"),
        ("a", "b\n"),
        ("a", "\xe4"),
        ("", "b"),
        ("a=", "b"),
        ("a b", "b"),
        ("a", "b" * 1024),
    ],
)
def test_setting_what_would_not_survive(key: str, value: int | str) -> None:
    url = StationURL()
    with pytest.raises(ValueError, match=r"."):
        url[key] = value
    assert str(url) == "prudp:/"


def test_setting_another_type() -> None:
    with pytest.raises(TypeError, match="int or a str"):
        StationURL()["address"] = 1.5  # type: ignore[assignment]


def test_the_length_is_kept_when_items_change() -> None:
    url = StationURL(a="b" * 1015)
    url["a"] = "c" * 1015
    with pytest.raises(ValueError, match="1024"):
        url["d"] = ""
    with pytest.raises(ValueError, match="1024"):
        url["a"] = "c" * 1016


def test_wrong_scheme() -> None:
    with pytest.raises(ValueError, match="scheme"):
        StationURL("http")


def test_address_and_type() -> None:
    url = StationURL.parse(SECURE)
    assert url.address == ("192.0.2.1", 60000)
    assert url.is_public
    assert not url.is_behind_nat
    url["type"] = 1
    assert not url.is_public
    assert url.is_behind_nat
    assert StationURL().address == ("", 0)


def test_copies_are_independent() -> None:
    url = StationURL.parse(SECURE)
    other = url.copy()
    assert other == url
    other["port"] = 1
    assert url["port"] == 60000
    assert other != url


def test_equality_ignores_order() -> None:
    assert StationURL.parse("prudp:/a=1;b=2") == StationURL.parse("prudp:/b=2;a=1")
    assert StationURL.parse("prudp:/a=1") != StationURL.parse("prudps:/a=1")
    assert StationURL() != "prudp:/"
    with pytest.raises(TypeError, match="no hash"):
        hash(StationURL())
