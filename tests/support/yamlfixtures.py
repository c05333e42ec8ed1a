"""Values files with one place to edit each, and what must come out: one line less, one line more.

The forms are those that real charts use and that other tools damage; every text is made up. The place
is `image.tag` in each, the new tag `develop-200` where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass

NEW_TAG = "develop-200"


@dataclass(frozen=True, slots=True)
class Row:
    """`old` is the text of the one line's part that must change, `new` what must stand instead."""

    name: str
    text: str
    old: str
    new: str
    tag: str = NEW_TAG

    @property
    def expected(self) -> str:
        assert self.text.count(self.old) == 1, self.name
        return self.text.replace(self.old, self.new)


_LONG = "word " * 40 + "end"
_REALISTIC = f"""\
# values of the shop
replicaCount: 2

image:
    repository: registry.example.com/team/shop
    tag: "develop-100"   # written by the updater
    pullPolicy: IfNotPresent

env:
    -   name: GREETING
        value: {_LONG}
    -   name: EMPTY
        value: ""

ports: [8080, 9090]


nodeSelector: {{}}
"""

ROWS = (
    Row("plain", "image:\n  repository: r\n  tag: develop-100\n", "develop-100", "develop-200"),
    Row("a comment after the tag", "image:\n  tag: old-1 # keep me\n", "old-1", "develop-200"),
    Row("double quotes", 'image:\n  tag: "old-1"\n', '"old-1"', '"develop-200"'),
    Row("single quotes and a comment", "image:\n  tag: 'old-1'  # keep\n", "'old-1'", "'develop-200'"),
    Row("blank lines", "\n\nimage:\n\n  tag: old-1\n\n\nz: 1\n\n\n", "old-1", "develop-200"),
    Row(
        "indent of four and an indented list",
        "a:\n    -   x: 1\n        y: 2\nimage:\n    tag: old-1\nb:\n- 1\n",
        "old-1",
        "develop-200",
    ),
    Row("a long line", f"a: {_LONG}\nimage:\n  tag: old-1\n", "old-1", "develop-200"),
    Row("CRLF", "image:\r\n  repository: r\r\n  tag: old-1\r\n", "old-1", "develop-200"),
    Row("lone CR", "image:\r  repository: r\r  tag: old-1\r", "old-1", "develop-200"),
    Row("LF and CRLF in one file", "a: 1\r\nimage:\n  tag: old-1\r\nb: 2\n", "old-1", "develop-200"),
    Row("no final newline", "image:\n  tag: old-1", "old-1", "develop-200"),
    Row("a flow mapping", "image: {repository: r, tag: old-1}\n", "old-1", '"develop-200"'),
    Row("a flow mapping in single quotes", "image: {tag: 'old-1', a: b}\n", "'old-1'", "'develop-200'"),
    Row("an anchor on the tag", "image:\n  tag: &t old-1 # c\n", "&t old-1", "&t develop-200"),
    Row(
        "an anchor on the tag, on a line of its own", "image:\n  tag: &t\n    old-1\n", "old-1", "develop-200"
    ),
    Row(
        "a merge key elsewhere",
        "base: &base {a: 1}\nimage:\n  tag: old-1\nother:\n  <<: *base\n  b: 2\n",
        "old-1",
        "develop-200",
    ),
    Row("Korean on the same line", "image: {name: 한글, tag: old-1, b: 값}\n", "old-1", '"develop-200"'),
    Row("Korean in a comment", "# 이미지 태그\nimage:\n  tag: old-1 # 자동\n", "old-1", "develop-200"),
    Row("emoji before", "a: '🚀🚀' # 🚀\nimage: {b: 🚀, tag: old-1}\n", "old-1", '"develop-200"'),
    Row("a leading document marker", "---\nimage:\n  tag: old-1\n...\n", "old-1", "develop-200"),
    Row("a byte order mark", "\ufeffimage:\n  tag: old-1\n", "old-1", "develop-200"),
    Row(
        "look-alikes of other types",
        "a: 0777\nb: yes\nc: 1_000\nd: 1e3\ne: 0o17\nimage:\n  tag: old-1\nf: 2024-01-01\n",
        "old-1",
        "develop-200",
    ),
    Row("a quoted number", 'image:\n  tag: "1.10"\n', '"1.10"', '"1.20"', tag="1.20"),
    Row("a bare number", "image:\n  tag: 1.10\n", "1.10", '"1.20"', tag="1.20"),
    Row(
        "a block scalar elsewhere",
        "script: |\n  tag: not-me\n\n    image:\n  end\nimage:\n  tag: old-1\n",
        "old-1",
        "develop-200",
    ),
    Row("a block scalar of one line", "image:\n  tag: |-\n    old-1\nb: 1\n", "old-1", "develop-200"),
    Row("a folded scalar of one line", "image:\n  tag: >\n    old-1\n\n", "old-1", "develop-200"),
    Row("an empty string", 'image:\n  tag: ""\n', '""', '"develop-200"'),
    Row("null", "image:\n  tag: null\n", "null", "develop-200"),
    Row("a tilde", "image:\n  tag: ~ # none\n", "~", "develop-200"),
    Row("nothing", "image:\n  tag:\n  b: 1\n", "tag:", "tag: develop-200"),
    Row("nothing and a comment", "image:\n  tag:   # none yet\n", "tag:", "tag: develop-200"),
    Row("nothing and a tab before a comment", "image:\n  tag:\t# none\n", "tag:", "tag: develop-200"),
    Row("nothing at the end of the file", "image:\n  tag:", "tag:", "tag: develop-200"),
    Row("nothing before CRLF", "image:\r\n  tag:\r\n  b: 1\r\n", "tag:", "tag: develop-200"),
    Row("nothing, and a comment line below", "image:\n  tag:\n  # none\n", "tag:", "tag: develop-200"),
    Row("nothing, in braces", "image: {tag: , b: 1}\n", "tag:", 'tag: "develop-200"'),
    Row("nothing, not even a colon, in braces", "image: {a: 1, tag}\n", "tag", 'tag: "develop-200"'),
    Row("nothing but an anchor", "image:\n  tag: &t # c\n", "&t", "&t develop-200"),
    Row("nothing but an anchor, in braces", "image: {tag: &t }\n", "&t", '&t "develop-200"'),
    Row("nothing but a tag for strings", "image:\n  tag: !!str\n", "!!str", "!!str develop-200"),
    Row("anchor and tag for strings", "image:\n  tag: &t !!str 'a'\n", "'a'", "'develop-200'"),
    Row("a number said to be a string", "image:\n  tag: !!str 1.10\n", "1.10", '"1.20"', tag="1.20"),
    Row("a duplicate key elsewhere", "a: 1\nimage:\n  tag: old-1\na: 2\n", "old-1", "develop-200"),
    Row("a tab before a comment", "image:\n  tag: old-1\t# c\n", "old-1", "develop-200"),
    Row("a tab before the value", "image:\n  tag:\told-1\n", "old-1", "develop-200"),
    Row("blanks at the line's end", "image:  \n  tag: old-1   \n", "old-1", "develop-200"),
    Row("a quoted key", "'image':\n  \"tag\": old-1\n", "old-1", "develop-200"),
    Row("a blank before the colon", "image :\n  tag : old-1\n", "old-1", "develop-200"),
    Row("a key with a question mark", "? image\n:\n  ? tag\n  : old-1\n", "old-1", "develop-200"),
    Row("the value on the next line", "image:\n  tag:\n    old-1\n", "old-1", "develop-200"),
    Row("a JSON file", '{"image":{"repository":"r","tag":"old-1"}}', '"old-1"', '"develop-200"'),
    Row("a JSON number", '{\n\t"image": {\n\t\t"tag": 12\n\t}\n}\n', "12", '"13"', tag="13"),
    Row("a hash in the value", "image:\n  tag: a#b # c\n", "a#b", "develop-200"),
    Row("NEL in quotes", 'a: "x\u0085 y"\nimage:\n  tag: old-1\n', "old-1", "develop-200"),
    Row("LS in quotes", "a: 'x\u2028 y'\nimage:\n  tag: old-1\n", "old-1", "develop-200"),
    Row("NEL in a comment", "a: 1 # x\u0085image:\n  tag: old-1\n", "old-1", "develop-200"),
    Row("a YAML version", "%YAML 1.1\n---\nimage:\n  tag: old-1\n", "old-1", "develop-200"),
    Row(
        "an anchor name used twice", "a: &x 1\nb: &x 2\nc: *x\nimage:\n  tag: old-1\n", "old-1", "develop-200"
    ),
    Row("a short commit id", "image:\n  tag: abc1234\n", "abc1234", '"52666e1"', tag="52666e1"),
    Row(
        "an address in brackets elsewhere",
        "a: [http://example.com:80/x, b::c]\nimage:\n  tag: &t !!str old-1\n",
        "old-1",
        "develop-200",
    ),
    Row("a reference in braces", "image: {tag: app:old, b: c:d}\n", "app:old", '"app:new"', tag="app:new"),
    Row("the only colon in braces", "image: {tag: app:old}\n", "app:old", '"develop-200"'),
    Row(
        "an address in brackets and nothing",
        "a: [http://example.com]\nimage:\n  tag:  # 없음\n  b: 1\n",
        "tag:",
        "tag: develop-200",
    ),
    Row("the realistic file", _REALISTIC, '"develop-100"', '"develop-200"'),
)
