"""What Helm makes of the tags that the updater writes: the very same text, always a string.

One chart prints every value with its kind, so that one run of each Helm judges the whole list.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from support.helm import helm_binaries, template

from updater.check.helmvalues import rendered
from updater.yamledit import Replace, edit, parse, reads_as_string

pytestmark = pytest.mark.helm

_CHART = "apiVersion: v2\nname: tags\nversion: 0.1.0\n"
# One line of JSON for each value, in a document that is YAML because JSON is.
_TEMPLATE = """\
kinds: {{ range $name, $value := .Values.tags }}
  - {{ list $name (kindOf $value) (printf "%v" $value) | toJson }}{{ end }}
"""
_WORDS = """
1e3 1e5 12e4567 0o17 0123 08 on off yes No no y n 12:30:45 1.10 20240101 20200402141045 0x10 0x1F
017 0b11 1_000 null ~ true
2024-01-01 .inf = << 52666e1 1234567e8 1e10 0e0 00 0 1 -1 +1 1. .5 1_0.5 _1 1_ 0_ 0x 0b 0o 0O17 0X1F
0B11 .nan .NaN -.inf +.INF NULL Null True FALSE Yes NO On OFF N Y 190:20:30.15 1:2 1:60 2024-1-2
2024-01-01T10:00:00Z 2024-01-01t10:00:00 2024-01-01T10 9223372036854775808 18446744073709551616
0777 0o9 0b12 0xg 1e 1e+ 1e+3 1E3 1.e3 1.5e-7 - + . .. ... --- -- 1-2 1.2.3 v1.2.3 latest main-42
develop-200 1.2.3-rc.1 1.2.3_4 deadbeef 1234567 0123456 e1 inf nan infinity Infinity 0x1p-2 1__0 ._1
12345678901234567890123456789 1e400 -0 -0.0 0.10 00.1 100 1.0 2.20 2026.11 20261122.1530 2026-11-22
2026-11-22-1530 24.04 3.11-slim 7.4.1-alpine sha-52666e1 r1 _ __ a_b A-Z.0 TRUE_ nulls yesterday
"""


def _commit_ids(count: int) -> list[str]:
    """Return short commit ids, half of them of the dangerous kind: digits with one `e`."""
    draw = random.Random(20261122)
    ids = [f"{draw.getrandbits(32):08x}"[: draw.choice((7, 8))] for _ in range(count)]
    for length in (7, 8):
        for place in range(1, length - 1):
            digits = f"{draw.randrange(10 ** (length - 1)):0{length - 1}d}"
            ids.append(f"{digits[:place]}e{digits[place:]}")
    return ids


_TAGS = sorted({*_WORDS.split(), *_commit_ids(400)})
# How the value was written before the edit.
_FORMS = {
    "plain": "old",
    "single": "'old'",
    "double": '"old"',
    "number": "1.10",
    "empty": "",
    "null": "~",
    "block": "|-\n      old",
    "string": "!!str",
    "flow": "{in: old}",
}


def _chart(folder: Path, values: bytes) -> Path:
    chart = folder / "tags"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(_CHART)
    (chart / "templates" / "kinds.yaml").write_text(_TEMPLATE)
    (chart / "values.yaml").write_bytes(values)
    return chart


def _seen_by(helm: Path, chart: Path) -> dict[str, tuple[str, str]]:
    lines = template(helm, chart).splitlines()
    rows = [json.loads(line.strip().removeprefix("- ")) for line in lines if line.strip().startswith("- ")]
    return {name: (kind, value) for name, kind, value in rows}


@pytest.fixture(scope="session")
def helms() -> list[Path]:
    return helm_binaries()


@pytest.mark.parametrize("form", _FORMS)
def test_every_tag_reads_as_the_same_string_in_helm_3_and_4(
    helms: list[Path], tmp_path: Path, form: str
) -> None:
    old = _FORMS[form]
    text = "tags:\n" + "".join(f"  t{number}: {old}\n" for number in range(len(_TAGS)))
    inner = ("in",) if form == "flow" else ()
    edits = [Replace(("tags", f"t{number}", *inner), tag) for number, tag in enumerate(_TAGS)]
    values = edit(parse(text.encode()), edits)
    chart = _chart(tmp_path, values)
    wanted = {f"t{number}": ("string", tag) for number, tag in enumerate(_TAGS)}
    if form == "flow":
        wanted = {name: ("map", f"map[in:{tag}]") for name, (_, tag) in wanted.items()}
    for helm in helms:
        assert _seen_by(helm, chart) == wanted, helm.name


def test_what_is_called_a_string_is_one_without_quotes_too(helms: list[Path], tmp_path: Path) -> None:
    strings = [tag for tag in _TAGS if reads_as_string(tag)]
    values = "tags:\n" + "".join(f"  t{number}: {tag}\n" for number, tag in enumerate(strings))
    chart = _chart(tmp_path, values.encode())
    wanted = {f"t{number}": ("string", tag) for number, tag in enumerate(strings)}
    for helm in helms:
        assert _seen_by(helm, chart) == wanted, helm.name


def test_what_becomes_of_other_tags_is_known(helms: list[Path], tmp_path: Path) -> None:
    fatal = re.compile(r"[-+]?\.(?:inf|nan)|1e400|12e4567", re.IGNORECASE)
    # Where Helm takes a scalar for text after all, nobody is told anything wrong.
    tags = [tag for tag in _TAGS if not (reads_as_string(tag) or fatal.fullmatch(tag) or tag in ("-", "<<"))]
    values = "tags:\n" + "".join(f"  t{number}: {tag}\n" for number, tag in enumerate(tags))
    chart = _chart(tmp_path, values.encode())
    wanted = {tag: rendered(tag) for tag in tags}
    for helm in helms:
        seen = _seen_by(helm, chart)
        shown = {
            tag: seen.get(f"t{number}", ("", ""))[1].replace("<nil>", "") for number, tag in enumerate(tags)
        }
        assert {tag: (wanted[tag], text) for tag, text in shown.items() if text != wanted[tag]} == {}


def test_the_oracle_tells_a_number_from_a_string(helms: list[Path], tmp_path: Path) -> None:
    chart = _chart(tmp_path, b"tags:\n  a: 1.10\n  b: '1.10'\n  c: 52666e1\n  d: on\n")
    for helm in helms:
        seen = _seen_by(helm, chart)
        assert seen["a"] == ("float64", "1.1")
        assert seen["b"] == ("string", "1.10")
        assert seen["c"][0] == "float64"
        assert seen["d"] == ("bool", "true")
