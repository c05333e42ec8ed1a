# ruff: noqa: E501 (a table row is one line, however long its message)
"""Who is calling, for which images and environments they may speak, and what they may do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.auth import (
    ANYONE,
    Keys,
    authenticate,
    may_speak_for,
    new_token,
    require_act,
    require_environment,
    require_image,
    require_override,
)
from updater.errors import InvalidSettings, NotAllowed, NotAuthenticated
from updater.model import ACTS, Caller, canonical_repository

TOKEN = "nL0v3rThT0k3n-of.the_iris~pipeline+/="
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
ENTRY = f"""
iris-pipeline:
  sha256: {HASH}
  images: [registry.example.com/iris]
  environments: [dev]
"""


def no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


def parse(text: str, files: dict[str, bytes] | None = None) -> Keys:
    return Keys.parse(
        text.encode(), files.__getitem__ if files is not None else no_file, source="tokens.yaml"
    )


def complaint(text: str, files: dict[str, bytes] | None = None) -> str:
    with pytest.raises(InvalidSettings) as raised:
        parse(text, files)
    return str(raised.value)


def test_a_token_names_its_caller() -> None:
    caller = authenticate(f"Bearer {TOKEN}", parse(ENTRY))
    assert caller == Caller(
        name="iris-pipeline", images=("registry.example.com/iris",), environments=("dev",)
    )


@pytest.mark.parametrize("header", [f"bearer {TOKEN}", f"BEARER   {TOKEN}", f"Bearer {TOKEN} "])
def test_the_scheme_is_read_as_http_reads_it(header: str) -> None:
    assert authenticate(header, parse(ENTRY)).name == "iris-pipeline"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "carries no token. Send the header Authorization: Bearer TOKEN"),
        ("", "not of the form Bearer TOKEN"),
        ("Bearer", "not of the form Bearer TOKEN"),
        ("Bearer ", "not of the form Bearer TOKEN"),
        ("Basic dXNlcjpwYXNz", "not of the form Bearer TOKEN"),
        (TOKEN, "not of the form Bearer TOKEN"),
        (f"Bearer {TOKEN} {TOKEN}", "not of the form Bearer TOKEN"),
        (f"Bearer {'x' * 5000}", "not of the form Bearer TOKEN"),
        (f"Bearer {TOKEN}x", "not known here"),
        (f"Bearer {TOKEN[:-1]}", "not known here"),
        (f"Bearer {HASH}", "not known here"),
        ("Bearer \udcff", "not known here"),
    ],
)
def test_nobody_else_gets_in(header: str | None, said: str) -> None:
    with pytest.raises(NotAuthenticated, match=said) as raised:
        authenticate(header, parse(ENTRY))
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("header", [None, f"Bearer {TOKEN}"])
def test_without_tokens_nobody_gets_in_and_the_operator_is_told_what_to_set(header: str | None) -> None:
    with pytest.raises(NotAuthenticated, match="must set UPDATER_TOKENS_FILE"):
        authenticate(header, Keys())


@pytest.mark.parametrize("header", [None, "nonsense", f"Bearer {TOKEN}"])
def test_the_open_setting_lets_everybody_in(header: str | None) -> None:
    caller = authenticate(header, Keys(open_to_anyone=True))
    assert caller is ANYONE
    assert may_speak_for(caller, "registry.example.com/any/thing")


def test_the_open_setting_opens_nothing_where_tokens_are_known() -> None:
    with pytest.raises(NotAuthenticated):
        authenticate(None, Keys(callers=parse(ENTRY).callers, open_to_anyone=True))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_token_may_be_read_from_a_file(ending: bytes) -> None:
    text = "ci:\n  file: /run/secrets/ci\n  images: ['*']\n  environments: ['*']\n"
    keys = parse(text, {"/run/secrets/ci": TOKEN.encode() + ending})
    assert authenticate(f"Bearer {TOKEN}", keys).name == "ci"


def test_each_of_many_tokens_is_found() -> None:
    made = [new_token() for _ in range(5)]
    text = "".join(
        f"c{number}: {{sha256: {digest}, images: ['*'], environments: ['*']}}\n"
        for number, (_, digest) in enumerate(made)
    )
    keys = parse(text)
    names = [authenticate(f"Bearer {token}", keys).name for token, _ in made]
    assert names == ["c0", "c1", "c2", "c3", "c4"]


def test_a_new_token_is_long_and_never_the_same() -> None:
    (one, digest), (other, _) = new_token(), new_token()
    assert one != other
    assert len(one) >= 43
    assert digest == hashlib.sha256(one.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "tokens.yaml:1:1: The file names no caller"),
        ("[]", "tokens.yaml:1:1: The file names no caller"),
        ("a: [", "tokens.yaml:"),
        ("a: 1\na: 2\n", "tokens.yaml:2:1:"),
        ("bad name!: 1\n", "'bad name!' is no name"),
        ("\nci: 1\n", "tokens.yaml:2:1: 'ci' is no entry: write sha256, images, environments"),
        (ENTRY + "  act: [update]\n", "tokens.yaml:6:3: 'iris-pipeline' has the unknown key 'act'"),
        (ENTRY + "  acts: update\n", "tokens.yaml:6:3: 'iris-pipeline' needs a list of acts, of update, promote"),
        (ENTRY + "  acts:\n", "tokens.yaml:6:3: 'iris-pipeline' needs a list of acts"),
        (ENTRY + "  acts: [update, Promote]\n", "tokens.yaml:6:18: 'iris-pipeline' has the unknown act 'Promote'"),
        (ENTRY + "  acts: [roll back]\n", "has the unknown act 'roll back': update, promote, approve, roll-back are"),
        (ENTRY + "  acts: [[update]]\n", "has the unknown act ['update']"),
        (ENTRY.replace(HASH, HASH[1:]), "tokens.yaml:3:3: 'iris-pipeline' needs 64 lower-case hexadecimal"),
        (ENTRY.replace(HASH, "1" * 64), "needs 64 lower-case hexadecimal digits (in quotes)"),
        (ENTRY.replace(HASH, HASH.upper()), "needs 64 lower-case hexadecimal digits"),
        (ENTRY.replace("sha256", "file"), "cannot be read: No such file or directory"),
        (ENTRY.replace(f"  sha256: {HASH}\n", ""), "tokens.yaml:2:1: 'iris-pipeline' needs one of sha256"),
        (ENTRY.replace(f"sha256: {HASH}", "file: 7"), "needs the path of a file with the token"),
        (ENTRY + "  file: x\n", "needs one of sha256 (the token's hash) and file"),
        (
            ENTRY.replace("[dev]", "[]"),
            "tokens.yaml:5:3: 'iris-pipeline' needs a list of environments; ['*']",
        ),
        (
            ENTRY.replace("  environments: [dev]\n", ""),
            "tokens.yaml:2:1: 'iris-pipeline' needs a list of env",
        ),
        (ENTRY.replace("[dev]", "dev"), "needs a list of environments"),
        (
            ENTRY.replace("[registry.example.com/iris]", "[Iris]"),
            "tokens.yaml:4:12: 'iris-pipeline' has 'Iris'",
        ),
        (ENTRY.replace("/iris]", "/iris:1.*]"), "which no name can match"),
        (ENTRY.replace("/iris]", "/iris@*]"), "which no name can match"),
        (ENTRY.replace("/iris]", "/]"), "which no name can match"),
        (ENTRY.replace("/iris]", "/a**]"), "which no name can match"),
        (ENTRY.replace("[dev]", "[7]"), "which no name can match"),
        (ENTRY + ENTRY.replace("iris-pipeline", "other"), "'other' has the same token as 'iris-pipeline'"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_said_with_its_place(text: str, said: str) -> None:
    assert said in complaint(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"qwertz", "shorter than 20"),
        (b"x" * 1025, "longer than 1024"),
        (b"", "shorter than 20"),
        (b"two words that are long", "no header may carry"),
        (b"0123456789012345678901\n\n", "no header may carry"),
        ("비밀번호비밀번호비밀번호".encode(), "no header may carry"),
    ],
)
def test_a_token_file_holds_a_token_that_can_be_sent(content: bytes, said: str) -> None:
    message = complaint("ci: {file: /t, images: ['*'], environments: ['*']}", {"/t": content})
    assert said in message
    assert content.decode() not in message or not content


def speaks(pattern: str, image: str) -> bool:
    canonical = canonical_repository(image)
    assert canonical is not None
    return may_speak_for(Caller(name="ci", images=(pattern,)), canonical)


@pytest.mark.parametrize(
    ("pattern", "image", "allowed"),
    [
        ("registry.example.com/iris", "registry.example.com/iris", True),
        ("registry.example.com/iris", "registry.example.com/iris-admin", False),
        ("registry.example.com/iris", "registry.example.com/iris/admin", False),
        ("registry.example.com/iris", "other.example.com/iris", False),
        ("iris", "registry.example.com/iris", False),
        ("registry.example.com/team/*", "registry.example.com/team/iris", True),
        ("registry.example.com/team/*", "registry.example.com/team/a/b", False),
        ("registry.example.com/team/**", "registry.example.com/team/a/b", True),
        ("registry.example.com/team/**", "registry.example.com/team2/a", False),
        ("registry.example.com:5000/*", "registry.example.com:5000/iris", True),
        ("registry.example.com/*", "registry.example.com:5000/iris", False),
        ("*.example.com/iris", "registry.example.com/iris", True),
        ("iris-?", "iris-1", True),
        ("nginx", "docker.io/library/nginx", True),
        ("docker.io/library/nginx", "nginx", True),
        ("team/*", "docker.io/team/app", True),
        ("team/*", "registry.example.com/team/app", False),
        ("*", "registry.example.com/a/b/c", True),
        ("**", "registry.example.com/a/b/c", True),
    ],
)
def test_a_pattern_takes_whole_parts_of_the_canonical_or_familiar_name(
    pattern: str, image: str, allowed: bool
) -> None:
    assert speaks(pattern, image) is allowed


def test_a_refusal_names_what_the_token_may_speak_for() -> None:
    caller = authenticate(f"Bearer {TOKEN}", parse(ENTRY))
    require_image(caller, "registry.example.com/iris")
    with pytest.raises(
        NotAllowed, match=r"'iris-pipeline' may not speak for lily; it may for registry\.exam"
    ):
        require_image(caller, "docker.io/library/lily")


@pytest.mark.parametrize(
    ("line", "acts"),
    [
        ("", ("update",)),
        ("  acts: [update]\n", ("update",)),
        ("  acts: [promote]\n", ("promote",)),
        ("  acts: []\n", ()),
        ("  acts: [approve, update, approve]\n", ("update", "approve")),
        ("  acts: [roll-back, promote]\n", ("promote", "roll-back")),
    ],
)
def test_a_token_may_do_what_its_entry_says_and_only_update_where_it_says_nothing(
    line: str, acts: tuple[str, ...]
) -> None:
    caller = authenticate(f"Bearer {TOKEN}", parse(ENTRY + line))
    assert caller.acts == acts
    for act in ACTS:
        if act in acts:
            require_act(caller, act)
        else:
            with pytest.raises(NotAllowed, match=f"may not {act}; it may {', '.join(acts)}"):
                require_act(caller, act)


def test_a_refused_act_says_what_the_operator_can_add() -> None:
    with pytest.raises(NotAllowed) as raised:
        require_act(Caller(name="ci", acts=("update", "approve")), "promote")
    assert str(raised.value) == (
        "The token 'ci' may not promote; it may update, approve. "
        "The operator can add promote to the acts of that token's entry."
    )


@pytest.mark.parametrize(
    ("acts", "allowed"), [(("update",), False), (("update", "roll-back"), False), (("promote",), True)]
)
def test_overriding_takes_the_act_promote(acts: tuple[str, ...], allowed: bool) -> None:
    caller = Caller(name="ci", acts=acts)
    if allowed:
        require_override(caller)
        return
    with pytest.raises(NotAllowed) as raised:
        require_override(caller)
    assert str(raised.value) == (
        "The token 'ci' may not override holds and freezes, which takes the act promote; "
        f"it may {', '.join(acts)}. Send it without override, or ask the operator to add promote to the acts "
        "of that token's entry."
    )


def test_whoever_gets_in_by_the_open_setting_may_do_everything_everywhere() -> None:
    for act in ACTS:
        require_act(ANYONE, act)
    require_override(ANYONE)
    require_environment(ANYONE, "prod")
    require_image(ANYONE, "registry.example.com/iris")


@pytest.mark.parametrize(
    ("pattern", "environment", "allowed"),
    [
        ("dev", "dev", True),
        ("dev", "dev2", False),
        ("dev?", "dev2", True),
        ("prod-*", "prod-eu", True),
        ("prod-*", "prod", False),
        ("Prod", "prod", False),
        ("*", "a.b_c", True),
    ],
)
def test_a_pattern_takes_whole_names_of_environments(pattern: str, environment: str, allowed: bool) -> None:
    assert Caller(name="ci", environments=("none", pattern)).may_reach(environment) is allowed


def test_a_refused_environment_is_named_with_those_that_are_allowed() -> None:
    caller = Caller(name="ci", environments=("dev", "test-*"))
    require_environment(caller, "test-1")
    with pytest.raises(NotAllowed) as raised:
        require_environment(caller, "prod")
    assert str(raised.value) == (
        "The token 'ci' may not speak for the environment prod; it may for dev, test-*. "
        "The operator can add the environment to that token's entry."
    )


def test_the_shipped_reader_of_files_is_enough(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(TOKEN + "\n")
    text = f"ci: {{file: {tmp_path}/t, images: ['*'], environments: ['*']}}"
    keys = Keys.parse(text.encode(), lambda name: Path(name).read_bytes())
    assert authenticate(f"Bearer {TOKEN}", keys).name == "ci"


@given(st.binary(max_size=200))
def test_any_bytes_as_a_tokens_file_are_keys_or_a_complaint(data: bytes) -> None:
    try:
        keys = Keys.parse(data, no_file)
    except InvalidSettings as error:
        assert str(error).startswith("tokens file")  # noqa: PT017 - what is left is no other error
    else:
        assert keys.callers


@given(st.text(max_size=60))
def test_any_header_but_the_right_one_is_refused(header: str) -> None:
    with pytest.raises(NotAuthenticated):
        authenticate(header, parse(ENTRY))
