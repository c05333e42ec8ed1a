"""Values that stand in one place and are used in several: nothing moves that was not named."""

from __future__ import annotations

import pytest

from updater.errors import EditRefused
from updater.yamledit import Alias, KeyPath, Replace, edit, parse, uses_of_anchor

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


def test_what_a_merge_mixes_with_keys_of_its_own_must_be_named() -> None:
    with pytest.raises(EditRefused) as refused:
        _edited(_MERGED, Replace(("image", "tag"), "c"))
    # Not the bare copies: what stands around the tag there is the same image.
    assert "worker.tag (line 5), which" in str(refused.value)
    written = _edited(_MERGED, Replace(("image", "tag"), "c"), also=(("worker", "tag"),))
    assert written == _MERGED.replace("tag: a", "tag: c")


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
    assert uses_of_anchor(text, ("image", "tag")) == ((0, ("worker", "tag"), 5),)
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
    assert uses_of_anchor(text, ("a0", 0)) == ()


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
