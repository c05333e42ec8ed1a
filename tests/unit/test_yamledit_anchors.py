"""Values that stand in one place and are used in several: nothing moves that was not named."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.errors import EditRefused
from updater.yamledit import Alias, KeyPath, Replace, Scalar, edit, parse, uses_of_anchor

_SHARED = """\
version: &v 1.0.0
shop:
  tag: *v
worker:
  tag: *v # the same
"""
_MERGED = """\
image: &image
  repository: shop
  tag: a
worker:
  <<: *image
  repository: worker
copy:
  <<: *image
twin: *image
own:
  <<: *image
  tag: b
"""


def _edited(text: str, *edits: Replace, also: tuple[KeyPath, ...] = ()) -> str:
    return edit(parse(text.encode()), edits, also_moves=[(0, path) for path in also]).decode()


def test_an_anchor_whose_aliases_are_not_named_is_refused_with_their_lines() -> None:
    with pytest.raises(EditRefused) as refused:
        _edited(_SHARED, Replace(("version",), "2.0.0"))
    assert (refused.value.line, refused.value.column) == (1, 10)
    assert "shop.tag (line 3), worker.tag (line 5)" in str(refused.value)


def test_aliases_that_are_named_change_along() -> None:
    wish = Replace(("version",), "2.0.0")
    written = _edited(_SHARED, wish, also=(("shop", "tag"), ("worker", "tag")))
    assert written == _SHARED.replace("1.0.0", "2.0.0")


def test_one_alias_left_out_is_enough_for_a_refusal() -> None:
    with pytest.raises(EditRefused, match=r"also used at worker\.tag \(line 5\),"):
        _edited(_SHARED, Replace(("version",), "2.0.0"), also=(("shop", "tag"),))


def test_a_place_named_in_another_document_does_not_count() -> None:
    text = parse(b"a: &t x\nb: *t\n---\nb: 1\n")
    with pytest.raises(EditRefused, match="b \\(line 2\\)"):
        edit(text, [Replace(("a",), "y")], also_moves=[(1, ("b",))])


def test_an_alias_is_refused_unless_it_is_to_be_followed() -> None:
    with pytest.raises(EditRefused, match=r"3:8: shop\.tag: the value is the alias \*v; its text .* line 1"):
        _edited(_SHARED, Replace(("shop", "tag"), "2.0.0"))


def test_following_an_alias_needs_the_other_uses_named() -> None:
    wish = Replace(("shop", "tag"), "2.0.0", follow=True)
    with pytest.raises(EditRefused, match=r"also used at worker\.tag \(line 5\),"):
        _edited(_SHARED, wish)
    assert _edited(_SHARED, wish, also=(("worker", "tag"),)) == _SHARED.replace("1.0.0", "2.0.0")


def test_all_uses_edited_to_the_same_value_are_one_change() -> None:
    wishes = [Replace((name, "tag"), "2.0.0", follow=True) for name in ("shop", "worker")]
    assert _edited(_SHARED, *wishes) == _SHARED.replace("1.0.0", "2.0.0")


def test_two_values_for_one_anchor_are_refused() -> None:
    wishes = [Replace((name, "tag"), name, follow=True) for name in ("shop", "worker")]
    with pytest.raises(EditRefused, match="two different values"):
        _edited(_SHARED, *wishes)


def test_a_value_kept_and_changed_through_its_alias_is_refused() -> None:
    wishes = [Replace(("version",), "1.0.0"), Replace(("shop", "tag"), "2.0.0", follow=True)]
    with pytest.raises(EditRefused, match="two different values"):
        _edited(_SHARED, *wishes, also=(("worker", "tag"),))


def test_an_anchor_that_nobody_uses_is_free() -> None:
    assert _edited("a: &t x # c\n", Replace(("a",), "z")) == "a: &t z # c\n"


def test_an_alias_binds_to_the_last_anchor_of_its_name_before_it() -> None:
    text = "a: &t x\nb: *t\nc: &t y\nd: *t\n"
    assert _edited(text, Replace(("c",), "z"), also=(("d",),)) == text.replace("y", "z")
    with pytest.raises(EditRefused, match=r"b \(line 2\)"):
        _edited(text, Replace(("a",), "z"), also=(("d",),))


def test_an_alias_to_an_empty_value_is_filled_at_its_anchor() -> None:
    assert _edited("a: &t\nb: *t\n", Replace(("b",), "x", follow=True)) == "a: &t x\nb: *t\n"


def test_the_anchor_of_a_number_gets_quotes_where_it_stands() -> None:
    assert _edited("a: &t 1\nb: *t\n", Replace(("b",), "1.10", follow=True)) == 'a: &t "1.10"\nb: *t\n'


def test_an_alias_used_as_a_key_can_never_move_along() -> None:
    with pytest.raises(EditRefused, match="line 2"):
        _edited("a: &t x\n*t : 1\n", Replace(("a",), "y"), also=(("x",),))


def test_a_value_below_an_alias_is_refused_unless_followed() -> None:
    text = "a: &a {tag: x}\nb: *a\n"
    with pytest.raises(EditRefused, match=r"b\.tag: b is the alias \*a"):
        _edited(text, Replace(("b", "tag"), "y"))
    assert _edited(text, Replace(("b", "tag"), "y", follow=True)) == text.replace("x", '"y"')


def test_whatever_takes_an_anchored_mapping_in_must_be_named() -> None:
    with pytest.raises(EditRefused) as refused:
        _edited(_MERGED, Replace(("image", "tag"), "c"))
    places = "worker.tag (line 5), copy.tag (line 8), twin.tag (line 9), which would change with it"
    assert str(refused.value) == f"3:8: image.tag: the value is also used at {places}"
    also: tuple[KeyPath, ...] = (("worker", "tag"), ("copy", "tag"), ("twin", "tag"))
    assert _edited(_MERGED, Replace(("image", "tag"), "c"), also=also) == _MERGED.replace("tag: a", "tag: c")
    for left_out in also:
        with pytest.raises(EditRefused, match=f"also used at {left_out[0]}"):
            _edited(_MERGED, Replace(("image", "tag"), "c"), also=tuple({*also} - {left_out}))


@pytest.mark.parametrize(
    ("text", "path", "places"),
    [
        # the whole mapping, bare
        ("base: &b\n  x: {}\n  tag: a\nuse: *b\n", ("base", "tag"), ["use.tag (line 4)"]),
        # far below the anchor, by alias, by merge, and by a merge beside keys of its own
        (
            "base: &b\n  image:\n    tag: a\nuse: *b\ndev:\n  <<: *b\nprod:\n  <<: *b\n  x: 1\n",
            ("base", "image", "tag"),
            ["use.image.tag (line 4)", "dev.image.tag (line 6)", "prod.image.tag (line 8)"],
        ),
        # lists, and aliases inside of what another anchor names
        (
            "l: &l\n- &m {tag: a}\n- *m\ncopy: *l\n",
            ("l", 0, "tag"),
            ["l.1.tag (line 3)", "copy.0.tag (line 4)", "copy.1.tag (line 4)"],
        ),
        # a key of its own ends it, on the way as well
        (
            "base: &b\n  tag: a\nx:\n  <<: *b\n  tag: b\ny: &y\n  <<: *b\nz:\n  <<: *y\n  tag: c\n",
            ("base", "tag"),
            ["y.tag (line 7)"],
        ),
        # two ways to one value
        ("a: &a {t: &t x, u: *t}\nb: *a\n", ("a", "t"), ["a.u (line 1)", "b.t (line 2)", "b.u (line 2)"]),
        # written below a merge key
        ("a:\n  <<: {tag: &t x}\nb: *t\n", ("a", "<<", "tag"), ["a.tag (line 2)", "b (line 3)"]),
        # in a key
        ("a: &a {t: x}\n? {k: *a}\n: 1\n", ("a", "t"), ["?.k.t (line 2)"]),
    ],
)  # fmt: skip
def test_every_place_behind_an_anchor_is_found(text: str, path: KeyPath, places: list[str]) -> None:
    with pytest.raises(EditRefused) as refused:
        _edited(text, Replace(path, "new"))
    assert refused.value.problem.partition(" at ")[2].partition(", which")[0] == ", ".join(places)
    also = tuple(place for _, place, _ in uses_of_anchor(parse(text.encode()), path))
    assert len(also) == len(places)
    assert "new" in _edited(text, Replace(path, "new"), also=also)


def test_what_shares_nothing_with_an_anchored_mapping_is_free() -> None:
    text = "base: &b {tag: a}\nuse: *b\nempty:\ntag: c\n"
    assert _edited(text, Replace(("tag",), "d")) == text.replace("tag: c", "tag: d")
    assert _edited(text, Replace(("empty",), "d")) == text.replace("empty:", "empty: d")


def test_many_uses_are_counted_and_not_all_listed() -> None:
    text = "a: &a x\n" + "".join(f"b{number}: *a\n" for number in range(20))
    with pytest.raises(EditRefused, match=r"b11 \(line 13\) and 8 more places, which"):
        _edited(text, Replace(("a",), "y"))


def test_a_local_key_beside_a_merge_is_an_ordinary_place() -> None:
    assert _edited(_MERGED, Replace(("own", "tag"), "c")) == _MERGED.replace("tag: b", "tag: c")


def test_a_value_that_only_a_merge_brings_is_missing_and_the_line_is_named() -> None:
    with pytest.raises(EditRefused, match=r"copy\.tag: copy has no key 'tag' of its own.*line 3"):
        _edited(_MERGED, Replace(("copy", "tag"), "c"))


def test_a_list_of_merges_is_seen_too() -> None:
    text = "a: &a {tag: x}\nb: &b {repository: r}\nc:\n  <<: [*b, *a]\n"
    with pytest.raises(EditRefused, match=r"c\.tag \(line 4\)"):
        _edited(text, Replace(("a", "tag"), "y"))


def test_a_merge_of_a_merge_is_seen_too() -> None:
    text = "a: &a {tag: x}\nb: &b\n  <<: *a\nc:\n  <<: *b\n  repository: other\n"
    with pytest.raises(EditRefused, match=r"c\.tag \(line 5\)"):
        _edited(text, Replace(("a", "tag"), "y"))


def test_uses_of_an_anchor_are_listed_from_either_side() -> None:
    text = parse(_SHARED.encode())
    both = ((0, ("shop", "tag"), 3), (0, ("worker", "tag"), 5))
    assert uses_of_anchor(text, ("version",)) == both
    assert uses_of_anchor(text, ("shop", "tag")) == ((0, ("version",), 1), both[1])


def test_uses_through_merges_are_listed() -> None:
    text = parse(_MERGED.encode())
    uses = ((0, ("worker", "tag"), 5), (0, ("copy", "tag"), 8), (0, ("twin", "tag"), 9))
    assert uses_of_anchor(text, ("image", "tag")) == uses
    assert uses_of_anchor(text, ("copy", "tag")) == ((0, ("image", "tag"), 3), uses[0], uses[2])
    assert uses_of_anchor(text, ("own", "tag")) == ()


@pytest.mark.parametrize("path", [("missing",), ("shop",), ("shop", "tag", "deeper"), (0,)])
def test_what_is_no_scalar_has_no_uses(path: KeyPath) -> None:
    assert uses_of_anchor(parse(_SHARED.encode()), path) == ()


def test_find_looks_through_aliases_and_merges_only_when_asked() -> None:
    text = parse(_MERGED.encode())
    assert text.find(("twin", "tag")) is None
    assert text.find(("copy", "tag")) is None
    for place in ("twin", "copy", "worker"):
        assert text.find((place, "tag"), through=True) is text.find(("image", "tag"))
    assert isinstance(text.find(("twin",)), Alias)


def test_nested_aliases_that_stand_for_more_than_any_memory_holds_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    text = parse("\n".join([*lines, "tag: &t old", ""]).encode())
    assert edit(text, [Replace(("tag",), "new")]).endswith(b"tag: &t new\n")
    assert len(repr(text.documents[0])) < 100_000
    for look in (lambda: uses_of_anchor(text, ("a0", 0)), lambda: edit(text, [Replace(("a0", 0), "new")])):
        with pytest.raises(EditRefused, match="1:10: the value is used in more than 10000 places"):
            look()


def test_nested_merges_that_would_be_searched_for_ever_cost_nothing() -> None:
    lines = ["m0: &m0 {k: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 60)]
    text = parse("\n".join(lines).encode())
    assert text.find(("m59", "missing"), through=True) is None
    assert text.find(("m59", "k"), through=True) is text.find(("m0", "k"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: *b\n", "1:4: *b refers to an anchor that does not exist"),
        ("a: &b 1\n---\nc: *b\n", "3:4: *b refers to an anchor that does not exist"),
        ("a: &b\n  c: *b\n", "2:6: *b stands inside of what it refers to"),
        ("a: &b [x, {c: *b}]\n", "1:15: *b stands inside of what it refers to"),
    ],
)
def test_aliases_that_lead_nowhere_or_in_a_circle_are_refused(text: str, problem: str) -> None:
    with pytest.raises(EditRefused) as refused:
        parse(text.encode())
    assert str(refused.value).startswith(problem)


def test_an_anchor_inside_of_one_with_the_same_name_wins_after_it() -> None:
    text = parse(b"a: &t [&t x]\nb: *t\n")
    found = text.find(("b",))
    assert isinstance(found, Alias)
    assert found.target is text.find(("a", 0))


class _Nest:
    """Writes mappings and lists that take each other in, by aliases and by `<<`, at any depth."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names: list[str] = []
        self.mappings: list[str] = []

    def text(self) -> str:
        return "".join(f"k{number}: {self.value(2)}\n" for number in range(5))

    def value(self, depth: int) -> str:
        kind = self.random.choice(["scalar", "alias", *["mapping", "mapping", "list"] * bool(depth)])
        if kind == "alias" and self.names:
            return f"*{self.random.choice(self.names)}"
        written = {"mapping": self.mapping, "list": self.items}.get(kind, lambda _: "'old'")(depth - 1)
        if self.random.random() < 0.6:
            name = f"n{len(self.names)}"
            # Not before the end: nothing can hold itself.
            self.names.append(name)
            self.mappings += [name] * (kind == "mapping")
            return f"&{name} {written}"
        return written

    def mapping(self, depth: int) -> str:
        keys = self.random.sample("abc", self.random.randint(1, 3))
        entries = [f"{key}: {self.value(depth)}" for key in keys]
        if self.mappings and self.random.random() < 0.6:
            sources = [f"*{self.random.choice(self.mappings)}" for _ in range(self.random.randint(1, 2))]
            entries.append(f"<<: {sources[0] if len(sources) == 1 else '[' + ', '.join(sources) + ']'}")
        return "{" + ", ".join(entries) + "}"

    def items(self, depth: int) -> str:
        return "[" + ", ".join(self.value(depth) for _ in range(self.random.randint(1, 2))) + "]"


def _leaves(tree: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _leaves(value, (*path, key))
    else:
        yield path, tree


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False))
def test_the_uses_of_a_value_are_all_that_another_reader_sees_change(random: Random) -> None:
    content = _Nest(random).text()
    text = parse(content.encode())
    written_here = [
        path for path, _ in _leaves(yaml.safe_load(content)) if isinstance(text.find(path), Scalar)
    ]
    for path in written_here:
        uses = {place for _, place, _ in uses_of_anchor(text, path)}
        written = _edited(content, Replace(path, "new"), also=tuple(uses))
        changed = {place for place, value in _leaves(yaml.safe_load(written)) if value == "new"}
        assert changed == uses | {path}
        for place in uses:
            assert {place} | {other for _, other, _ in uses_of_anchor(text, place)} == changed
            with pytest.raises(EditRefused, match="also used at"):
                _edited(content, Replace(path, "new"), also=tuple(uses - {place}))
