"""What a spec sheet may look like, and what is said of one that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.connect.plugins import (
    MAX_SPEC_SIZE,
    PluginSpec,
    SpecError,
    decode_spec,
    parse_spec,
    read_spec,
)
from nekonex.connect.plugins.spec import REQUIRED
from tests.support.plugin_folders import make_plugin, spec_sheet

GOOD = spec_sheet()
LINES = GOOD.splitlines()


def parsed(text: str) -> PluginSpec:
    return parse_spec(text, "spec.conf")


def outcome(text: str) -> PluginSpec | SpecError:
    try:
        return parsed(text)
    except SpecError as error:
        return error


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parsed(text)
    return str(caught.value)


def changed(line: int, text: str) -> str:
    """Return a good spec sheet with one line, counted from 1, in other words."""
    return "\n".join([*LINES[: line - 1], text, *LINES[line:], ""])


def test_a_spec_sheet_says_four_things_and_whatever_else() -> None:
    spec = parsed(GOOD + '$icon {"cat.png"};\n$home-page{"https://example.org"};')
    assert spec == PluginSpec(
        name="An echo",
        greeter="echo",
        logic="logic",
        version="1.0",
        others={"icon": "cat.png", "home-page": "https://example.org"},
    )


def test_a_sheet_like_the_example_of_the_original_tool_is_read() -> None:
    text = """\
Spec sheet:
~~~~~~~~~~~
The words $name, $greet and so on in the midst of a line are prose, as in "this".
 $ name {arguments}
 $name{
   arguments
 }
 $ name {arguments}; not one of these counts, for they begin with a blank

$name {"example plugin"}; -> plugin name, shows in GUI
$greet {"ex-plug"};       -> what "clients" send; $greet {"no"};
$logic {"logic"};         -> logic filename
$version {"1.0"};         -> plugin version"""
    assert parsed(text) == PluginSpec(
        name="example plugin", greeter="ex-plug", logic="logic", version="1.0", others={}
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeffprose\r\n" + GOOD.replace("\n", "\r\n") + "\r\n",
        GOOD.replace("\n", "\r"),
        GOOD.rstrip("\n"),
        GOOD.replace(" {", "\n\n\t{ \n ").replace("}", "\n}\n").replace("$", "$\n "),
        GOOD.replace(";", ';} " { comment'),
        "\n".join(reversed(LINES)),
    ],
    ids=["BOM", "CRLF", "BOM and CRLF", "CR", "no end of line", "many lines", "comments", "order"],
)
def test_forms_of_the_same_sheet(text: str) -> None:
    assert parsed(text) == parsed(GOOD)


def test_values_are_kept_as_they_are() -> None:
    text = changed(1, '$name {"  {; $greet } Ünï 猫  "};')
    assert parsed(text).name == "  {; $greet } Ünï 猫  "


@pytest.mark.parametrize(("value", "logic"), [("main.py", "main"), ("a.b", "a.b"), ("py", "py")])
def test_logic_may_end_in_py(value: str, logic: str) -> None:
    assert parsed(changed(3, f'$logic {{"{value}"}};')).logic == logic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", "1:2: expected a directive name after $"),
        ("$ {", "1:3: expected a directive name after $"),
        ("$\n\n{", "1:2: expected a directive name after $"),
        ("one\n$5", "2:3: expected { after $5"),
        ('$name "x"', "1:7: expected { after $name"),
        ("$name", "1:6: expected { after $name"),
        ("$name   \n\nprose", "1:6: expected { after $name"),
        ("$na!me", "1:4: expected { after $na"),
        ("\t\n$name {\tx}", '2:9: expected " to open the value of $name'),
        ("$name {\n x}", '1:8: expected " to open the value of $name'),
        ("$name { ", '1:8: expected " to open the value of $name'),
        ('$name {"x', '1:10: expected " to close the value of $name before the end of the line'),
        (
            '$name {"x\r\ny"};',
            '1:10: expected " to close the value of $name before the end of the line',
        ),
        ('$name {"x" "y"};', "1:12: expected } after the value of $name"),
        ('$name {"x";', "1:11: expected } after the value of $name"),
        ('$name {"x"\n;', "1:11: expected } after the value of $name"),
        ('$name {"x"} $', "1:13: expected ; after $name {…}"),
        ('$name {"x"}\n$greet {"y"};', "1:12: expected ; after $name {…}"),
        ('\ufeff$name {"x"}', "1:12: expected ; after $name {…}"),
        ('$icon {"x"', "1:11: expected } after the value of $icon"),
        (f'{GOOD}$name {{"x"}};', "5:1: $name is given twice (first at line 1)"),
        ('$icon {"x"};\n\n $icon\n$icon', "4:1: $icon is given twice (first at line 1)"),
        ("", "1:1: missing $name (required: name, greet, logic, version)"),
        ("prose\n", "2:1: missing $name (required: name, greet, logic, version)"),
        (changed(2, "x"), "5:1: missing $greet (required: name, greet, logic, version)"),
        (
            changed(2, '$Greet {"x"};'),
            "5:1: missing $greet (required: name, greet, logic, version)",
        ),
        (changed(1, '$name {""};'), "1:9: $name is empty"),
        (changed(2, '$greet {" "};'), "2:10: $greet is empty"),
        (changed(3, '$logic {".py"};'), "3:10: $logic is empty"),
        (changed(2, '$greet {"auth"};'), '2:10: greet "auth" is reserved'),
        (
            changed(2, '$greet\n{"nekoconnect-server"};'),
            '3:3: greet "nekoconnect-server" is reserved',
        ),
        (changed(2, f'$greet {{"{"é" * 128}"}};'), "2:10: greet is longer than 255 bytes"),
        (
            changed(3, '$logic {"a/b"};'),
            '3:10: logic "a/b" must be a file name without a path',
        ),
        (
            changed(3, '$logic {"..\\b"};'),
            '3:10: logic "..\\b" must be a file name without a path',
        ),
        (changed(1, '$name {"a/b"};'), "1:10: name must not contain /"),
        (changed(4, '$version {"1\\0"};'), "4:13: version must not contain \\"),
        (changed(4, '$version {".1"};'), "4:12: version must not begin with a dot"),
        (changed(1, '$name {"a\tb"};'), "1:10: name must not contain control characters (U+0009)"),
        (
            changed(2, '$greet {"\x00"};'),
            "2:10: greet must not contain control characters (U+0000)",
        ),
        (
            changed(3, '$logic {"a\x9f"};'),
            "3:11: logic must not contain control characters (U+009F)",
        ),
        (changed(1, '$name {"\u2028"};'), "1:9: $name is empty"),
        (
            changed(1, '$name {"a\ud800"};'),
            "1:10: name must not contain control characters (U+D800)",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, expected: str) -> None:
    assert refusal(text) == f"spec.conf:{expected}"


def test_a_greeter_may_have_255_bytes() -> None:
    greeter = "é" * 127 + "x"
    assert parsed(changed(2, f'$greet {{"{greeter}"}};')).greeter == greeter


def test_the_first_mistake_of_the_text_is_the_one_that_is_told() -> None:
    assert refusal('$name {""};\n$greet {x}').endswith("$name is empty")
    assert refusal('$greet {x};\n$name {""};').endswith('expected " to open the value of $greet')


def test_an_error_knows_its_parts() -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec("prose\n$", "a/spec.conf")
    error = caught.value
    assert (error.file, error.line, error.column) == ("a/spec.conf", 2, 2)
    assert error.text == "expected a directive name after $"


# ------------------------------------------------------------------ files


def test_a_folder_is_read(tmp_path: Path) -> None:
    spec = read_spec(make_plugin(tmp_path, spec=changed(3, '$logic {"logic.py"};')))
    assert spec.logic == "logic"


@pytest.mark.parametrize("logic", ["other", "a" * 300, "spec.conf"])
def test_the_logic_file_has_to_be_there(tmp_path: Path, logic: str) -> None:
    folder = make_plugin(tmp_path, spec=changed(3, f' \n$logic {{"{logic}.py"}};'))
    with pytest.raises(SpecError) as caught:
        read_spec(folder)
    assert str(caught.value) == f"{tmp_path}/spec.conf:4:10: logic file {logic}.py not found"


def test_a_folder_is_no_logic_file(tmp_path: Path) -> None:
    make_plugin(tmp_path)
    (tmp_path / "logic.py").unlink()
    (tmp_path / "logic.py").mkdir()
    with pytest.raises(SpecError, match=r"logic file logic\.py not found"):
        read_spec(tmp_path)


def test_a_missing_spec_sheet_is_told_like_a_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(tmp_path)
    assert (
        str(caught.value) == f"{tmp_path}/spec.conf:1:1: cannot be read: No such file or directory"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_nobody_waits_for_the_other_end_of_a_pipe(tmp_path: Path) -> None:
    make_plugin(tmp_path)
    (tmp_path / "spec.conf").unlink()
    os.mkfifo(tmp_path / "spec.conf")
    with pytest.raises(SpecError, match=r"spec\.conf:1:1: is no plain file"):
        read_spec(tmp_path)


def test_a_spec_sheet_is_utf8(tmp_path: Path) -> None:
    make_plugin(tmp_path)
    (tmp_path / "spec.conf").write_bytes('éé\r\n$name {"é'.encode() + b"\xff")
    with pytest.raises(SpecError) as caught:
        read_spec(tmp_path)
    assert str(caught.value).endswith(":2:10: expected UTF-8, found the byte 0xff")


def test_a_spec_sheet_has_a_limit(tmp_path: Path) -> None:
    text = GOOD + "x" * (MAX_SPEC_SIZE - len(GOOD))
    make_plugin(tmp_path, spec=text)
    assert read_spec(tmp_path).name == "An echo"
    make_plugin(tmp_path, spec=text + "x")
    with pytest.raises(SpecError, match=f"has more than {MAX_SPEC_SIZE} bytes"):
        read_spec(tmp_path)


# ------------------------------------------------------------------ properties

PIECES = st.lists(
    st.sampled_from(
        [*REQUIRED, "icon", "$", "{", "}", '"', ";", " ", "\n", "\r\n", "\t", "\ufeff", "猫", "\0"]
    )
    | st.text(max_size=3),
    max_size=60,
).map("".join)


def lines_of(text: str) -> list[str]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


@given(PIECES | st.text(st.characters(), max_size=40))
def test_any_text_is_parsed_or_refused_at_a_place_that_is_there(text: str) -> None:
    error = outcome(text)
    if isinstance(error, SpecError):
        lines = lines_of(text)
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(content: bytes) -> None:
    try:
        assert decode_spec(content, "x") == content.decode()
    except SpecError as error:
        assert "expected UTF-8" in error.text  # noqa: PT017


@st.composite
def damaged_sheets(draw: st.DrawFn) -> str:
    start = draw(st.integers(0, len(GOOD)))
    end = draw(st.integers(start, min(start + 5, len(GOOD))))
    return GOOD[:start] + draw(st.text(' \n"{};$x', max_size=2)) + GOOD[end:]


@given(damaged_sheets())
def test_errors_point_at_what_is_there_instead(text: str) -> None:
    first = outcome(text)
    if isinstance(first, PluginSpec) or not first.text.startswith("expected "):
        return
    wanted = first.text.split()[1].replace("a", "x")
    lines = lines_of(text)
    line, at = lines[first.line - 1], first.column - 1
    found = line[at:]
    assert not found.strip() or not found.startswith((" ", wanted))
    # With what is expected there, parsing gets further.
    lines[first.line - 1] = line[:at] + wanted + found
    next_one = outcome("\n".join(lines))
    if isinstance(next_one, SpecError) and next_one.text.startswith("expected "):
        first_place, next_place = [(each.line, each.column) for each in (first, next_one)]
        assert next_place >= first_place
        assert next_one.text != first.text or next_place > first_place


LABELS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters='"/\\'),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() and not text.startswith("."))
NAMES = st.from_regex(r"[\w.-]{1,8}", fullmatch=True).filter(lambda name: name not in REQUIRED)
ANY_VALUES = st.text(st.characters(exclude_characters='"\r\n', codec="utf-8"), max_size=20)
SPECS = st.builds(
    PluginSpec,
    name=LABELS,
    greeter=LABELS.filter(lambda text: text != "auth"),
    logic=LABELS.filter(lambda text: not text.endswith(".py")),
    version=LABELS,
    others=st.dictionaries(NAMES, ANY_VALUES, max_size=4),
)
SPACE = st.text(" \t\n\u00a0", max_size=3)
COMMENT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)


@given(SPECS, st.data())
def test_a_rendered_spec_is_read_back(spec: PluginSpec, data: st.DataObject) -> None:
    values = {
        "name": spec.name,
        "greet": spec.greeter,
        "logic": spec.logic + data.draw(st.sampled_from(["", ".py"])),
        "version": spec.version,
        **spec.others,
    }
    text = data.draw(st.sampled_from(["", "\ufeff"]))
    for name in data.draw(st.permutations(sorted(values))):
        comment = data.draw(COMMENT)
        if not comment.startswith(("$", "\ufeff")):
            text += f"{comment}\n"
        parts = ["$", name, "{", f'"{values[name]}"', "}", ";"]
        text += parts[0] + "".join(data.draw(SPACE) + part for part in parts[1:])
        text += data.draw(COMMENT) + "\n"
    text = text.replace("\n", data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
    assert parsed(text) == spec
