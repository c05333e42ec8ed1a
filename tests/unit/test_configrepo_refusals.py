"""Git's words and what they mean: each line was printed by a real client or server."""

from __future__ import annotations

import pytest

from updater.configrepo.refusals import Pushed, answers, forbidden, is_damage, judge, quote, unreachable
from updater.errors import PushForbidden, Unreachable

_LOCK = "remote: error: cannot lock ref 'refs/heads/main': is at 1111111 but expected 2222222"


def _answer(summary: str) -> tuple[str, str]:
    return answers(f"To https://example.com/c.git\n!\tabc:refs/heads/main\t{summary}\nDone\n")["main"]


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        ("[rejected] (fetch first)", ""),
        ("[rejected] (non-fast-forward)", ""),
        ("[rejected] (stale info)", ""),
        ("[rejected] (already exists)", ""),
        ("[rejected] (atomic push failed)", ""),
        ("[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)", ""),
        ("[remote rejected] (incorrect old value provided)", ""),
        ("[remote rejected] (reference already exists)", ""),
        ("[remote rejected] (failed to update ref)", _LOCK),
        ("[remote rejected] (atomic push failure)", ""),
        ("[remote rejected] (atomic transaction failed)", ""),
    ],
)
def test_refusals_that_count_as_moved(summary: str, words: str) -> None:
    assert judge("main", _answer(summary), words) is Pushed.MOVED


@pytest.mark.parametrize(
    "summary",
    [
        "[remote rejected] (pre-receive hook declined)",
        "[remote rejected] (hook declined)",
        "[remote rejected] (protected branch hook declined)",
        "[remote rejected] (deny updating a hidden ref)",
        "[remote rejected] (branch is currently checked out)",
        "[remote rejected] (shallow update not allowed)",
    ],
)
@pytest.mark.parametrize("words", ["remote: GitLab: You are not allowed to push code.", _LOCK])
def test_refusals_that_never_count_as_moved(summary: str, words: str) -> None:
    answer = judge("main", _answer(summary), words)
    assert isinstance(answer, PushForbidden)
    assert words.removeprefix("remote: ") in str(answer)


@pytest.mark.parametrize(
    "summary",
    [
        "[remote rejected] (unpacker error)",
        "[remote rejected] (failed to update ref)",
        "[remote failure] (remote failed to report status)",
        "[remote rejected] (Internal Server Error)".lower(),
    ],
)
def test_refusals_that_may_pass(summary: str) -> None:
    assert isinstance(judge("main", _answer(summary), "remote: fatal: No space left on device"), Unreachable)


@pytest.mark.parametrize(
    "line", [" \ta:refs/heads/x/y\ta..b", "=\ta:refs/heads/x/y\t[up to date]", "*\ta:refs/heads/x/y\t[new]"]
)
def test_branches_that_landed(line: str) -> None:
    assert judge("x/y", answers(f"{line}\n")["x/y"], "") is Pushed.LANDED


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            "fatal: Authentication failed for 'https://example.com/c.git/'",
            "did not accept the updater's credentials",
        ),
        ("git@example.com: Permission denied (publickey).", "did not accept the updater's credentials"),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'x'", "did not accept"),
        (
            "remote: The project you were looking for could not be found or you don't have",
            "no such repository",
        ),
        (
            "fatal: unable to access 'https://example.com/': Could not resolve host: example.com",
            "found by name",
        ),
        (
            "fatal: unable to access 'x': SSL certificate problem: self signed certificate",
            "cannot be verified",
        ),
        ("fatal: unable to access 'x': The requested URL returned error: 502", "cannot be reached"),
        ("fatal: the remote end hung up unexpectedly", "cannot be reached"),
    ],
)
def test_troubles_are_explained_and_quoted(words: str, meaning: str) -> None:
    error = unreachable(words, "https://example.com/c.git")
    assert meaning in str(error)
    assert words.splitlines()[-1] in str(error)
    assert not is_damage(words, "/data/mirror")


@pytest.mark.parametrize(
    "words",
    [
        "fatal: bad object refs/remotes/config/main",
        "error: object file ./objects/ab/cd is empty\nfatal: loose object abcd is corrupt",
        "fatal: not a git repository: '/data/mirror'",
        "fatal: unexpected line in /data/mirror/packed-refs: garbage",
        "error: https://example.com/c.git did not send all necessary objects",
    ],
)
def test_damage_of_the_mirror_is_told_from_trouble_with_the_remote(words: str) -> None:
    assert is_damage(words, "/data/mirror")
    assert not is_damage("\n".join(f"remote: {line}" for line in words.splitlines()), "/data/mirror")


def test_long_words_are_cut() -> None:
    assert len(str(unreachable("x" * 100_000, "https://example.com/c.git"))) < 1_200


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (
            "git@example.com: Permission denied (publickey).\n"
            "fatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.\n",
            "git@example.com: Permission denied (publickey). fatal: Could not read from remote repository. "
            "Please make sure you have the correct access rights and the repository exists",
        ),
        ("error: one\nfatal: two\nwarning: three", "error: one; fatal: two; warning: three"),
        (
            "remote: Ask the owner\nremote: of the project.\nfatal: no",
            "remote: Ask the owner of the project. fatal: no",
        ),
        ("fatal: no\nremote: hook says no", "fatal: no; remote: hook says no"),
        ("one two\nOne two\nOne two\n", "one two; One two"),
        ("and so\n", "and so"),
        ("hint: try\nTo https://example.com/c.git\n", "nothing"),
        ("", "nothing"),
    ],
)
def test_words_are_quoted_as_sentences_without_a_last_period(words: str, quoted: str) -> None:
    assert quote(words) == quoted


@pytest.mark.parametrize("said", ["remote: The branch is frozen.", "fatal: no."])
def test_no_sentence_ends_in_two_periods(said: str) -> None:
    for error in (forbidden("main", "hook declined", said), unreachable(said, "https://example.com/c.git")):
        assert said.partition(": ")[2].rstrip(".") in str(error)
        assert str(error).endswith(".")
        assert ".." not in str(error)
