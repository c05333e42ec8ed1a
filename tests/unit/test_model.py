"""Image references by the OCI grammar: what is one, what is equal, and what is said where it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidRequest
from updater.model import (
    ImageReference,
    OutcomeKind,
    canonical_repository,
    familiar_repository,
    is_digest,
    is_tag,
    strongest,
)

SHA = "sha256:" + "0123456789abcdef" * 4

component = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
host = st.from_regex(
    r"([a-z0-9]{1,6}\.){1,2}[a-z]{2,4}(:[0-9]{2,5})?|localhost(:[0-9]{2,5})?", fullmatch=True
)
paths = st.lists(component, min_size=1, max_size=4).map("/".join)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)


@given(host, paths, tag)
def test_every_legal_reference_is_read_back_as_it_was(registry: str, path: str, name: str) -> None:
    image = ImageReference.parse(f"{registry}/{path}:{name}")
    assert (image.repository, image.tag, image.digest) == (f"{registry}/{path}", name, None)
    assert str(image) == f"{registry}/{path}:{name}"


@given(st.text(max_size=60))
def test_any_text_is_an_image_or_a_refusal_with_a_field(text: str) -> None:
    refusal = None
    try:
        image = ImageReference.parse(text)
    except InvalidRequest as problem:
        refusal = problem
    if refusal is not None:
        assert refusal.field == "image"
        assert str(refusal).endswith(".")
    else:
        assert is_tag(image.tag)
        assert canonical_repository(image.name) == image.repository


@pytest.mark.parametrize(
    ("names", "canonical"),
    [
        (["nginx", "library/nginx", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/nginx"],
         "docker.io/library/nginx"),
        (["grafana/loki", "docker.io/grafana/loki"], "docker.io/grafana/loki"),
        (["registry.example.com/iris", "REGISTRY.example.com/iris"], "registry.example.com/iris"),
        (["registry.example.com:5000/iris"], "registry.example.com:5000/iris"),
        (["localhost/iris"], "localhost/iris"),
        (["[::1]:5000/iris"], "[::1]:5000/iris"),
    ],
)  # fmt: skip
def test_equal_repositories_have_one_name(names: list[str], canonical: str) -> None:
    assert {canonical_repository(name) for name in names} == {canonical}


@pytest.mark.parametrize(
    "name",
    ["", "iris-", "-iris", "a//b", "/a", "a/", "A", "a/B", "a b", "a\n", "ä", "x" * 600, "a..b", "a@b"],
)
def test_what_is_no_repository_has_no_name(name: str) -> None:
    assert canonical_repository(name) is None


def test_look_alikes_are_different_repositories() -> None:
    names = [
        "r.example.com/iris",
        "r.example.com/iris-admin",
        "r.example.com:5000/iris",
        "other.example.com/iris",
        "iris",
    ]
    assert len({canonical_repository(name) for name in names}) == len(names)


@pytest.mark.parametrize(("canonical", "familiar"), [
    ("docker.io/library/nginx", "nginx"),
    ("docker.io/grafana/loki", "grafana/loki"),
    ("registry.example.com/iris", "registry.example.com/iris"),
])  # fmt: skip
def test_people_see_the_shortest_name(canonical: str, familiar: str) -> None:
    assert familiar_repository(canonical) == familiar
    assert canonical_repository(familiar) == canonical


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("registry.example.com/iris", "names no tag"),
        ("registry.example.com:5000/iris", "names no tag"),
        (f"registry.example.com/iris@{SHA}", "names no tag"),
        ("registry.example.com/iris:feature/login", "CI_COMMIT_REF_SLUG"),
        ("registry.example.com/iris:1\n", "ends with a blank or a line break"),
        ("registry.example.com/iris:1 ", "ends with a blank"),
        (" registry.example.com/iris:1", "begins or ends with a blank"),
        ("registry.example.com/iris :1", "'registry.example.com/iris ' is not a repository"),
        ("http://registry.example.com/iris:1", "leave out 'http://'"),
        ("https://registry.example.com:5000/iris", "leave out 'https://'"),
        ("docker://iris:1", "leave out 'docker://'"),
        ("registry.example.com/iris:-1", "not a legal tag"),
        ("registry.example.com/iris:" + "a" * 129, "not a legal tag"),
        ("registry.example.com/Iris:1", "use 'registry.example.com/iris'"),
        (":1", "names no repository"),
        ("a" * 600 + ":1", "602"),
        ("iris:1@sha256:12", "not a digest"),
        ("iris:1@", "not a digest"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        ImageReference.parse(text)
    assert words in str(refusal.value)


def test_a_digest_may_stand_inside_or_beside_but_only_one() -> None:
    assert ImageReference.parse(f"iris:1@{SHA}").digest == SHA
    assert ImageReference.parse("iris:1", SHA).digest == SHA
    assert ImageReference.parse(f"iris:1@{SHA}", SHA).digest == SHA
    with pytest.raises(InvalidRequest, match="differs"):
        ImageReference.parse(f"iris:1@{SHA}", SHA.replace("0", "1"))
    with pytest.raises(InvalidRequest, match="not a digest") as refusal:
        ImageReference.parse("iris:1", "sha256:zz")
    assert refusal.value.field == "digest"


@pytest.mark.parametrize(
    ("text", "legal"),
    [(SHA, True), (SHA[:-1], False), (SHA.upper(), False), ("sha512:" + "a" * 128, True),
     ("md5:" + "a" * 32, True), ("sha256:" + "g" * 64, False), ("", False)],
)  # fmt: skip
def test_digests_of_registered_algorithms_have_their_full_length(text: str, legal: bool) -> None:
    assert is_digest(text) is legal


def test_the_strongest_outcome_speaks_for_all() -> None:
    assert strongest({OutcomeKind.UNCHANGED, OutcomeKind.COMMITTED}) is OutcomeKind.COMMITTED
    assert strongest(set(OutcomeKind)) is OutcomeKind.FAILED
    assert [kind.value for kind in OutcomeKind] == [
        "failed",
        "refused",
        "held",
        "committed",
        "proposed",
        "superseded",
        "unchanged",
    ]
