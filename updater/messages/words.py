"""Makes outside text safe to stand in a sentence, in Markdown, in a link.

A tag, a branch, an author or a URL may hold anything; GitLab reads commands, mentions and HTML out of
a description. Pure; the templates use these as Jinja filters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from updater import trailers

# Longer fields are cut in what people read, because a caller chooses these texts.
MAX_FIELD = 300

_URL = re.compile(r"https?://[^\s@]+")
# Whatever a URL may not hold (RFC 3986), and what ends a Markdown link.
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9/:?#!$&'*+,;=._~%-]")


def one_line(text: object, limit: int = MAX_FIELD) -> str:
    """Return `text` on one line: control, format and separator characters become blanks."""
    return trailers.one_line(text, limit)


def listing(items: Sequence[object]) -> str:
    """Return `a, b and c`, or `a, b and 7 more` where there are many."""
    shown = [str(item) for item in items]
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def quoted(text: object) -> str:
    """Return the text in quotes, with control characters escaped."""
    return repr(str(text))


def code(text: object) -> str:
    """Return the text as code in Markdown: nothing in it is markup, a mention or a command there.

    A pipe would end a table's cell even there.
    """
    return f"`{one_line(text).replace('`', chr(39)).replace('|', '/')}`" if one_line(text) else ""


def link(words: object, url: object) -> str:
    """Return a Markdown link, or the words alone where the URL is none."""
    address = one_line(url, trailers.MAX_TRAILER)
    if not _URL.fullmatch(address):
        return code(words)
    return f"[{code(words)}]({_NOT_IN_URL.sub(_escaped, address)})"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
