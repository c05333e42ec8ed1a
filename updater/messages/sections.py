"""Templates as texts: parsed once, filled in with facts, and at fault by name.

Hides Jinja. `rendering` and `checked` are the only callers; what a text means is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateError

from updater.errors import InvalidSettings
from updater.messages.words import code, link, listing, quoted

# Templates of plain text, never HTML.
_JINJA = Environment(
    loader=BaseLoader(),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701
    trim_blocks=False,
)
_JINJA.filters.update(listing=listing, quoted=quoted, code=code, link=link)


@cache
def _parsed(text: str) -> Template:
    """Parse a text; whoever opens its doors again in one process has the same texts."""
    return _JINJA.from_string(text)


def template(name: str, text: str) -> Template:
    """Return a template of a text; raises InvalidSettings where it does not parse."""
    try:
        return _parsed(text)
    except TemplateError as problem:
        raise InvalidSettings(
            f"The template {name} does not parse: {problem}. Mend it in the folder that "
            "UPDATER_TEMPLATES names."
        ) from problem


def sections(
    name: str, text: str, heading: re.Pattern[str], needed: Collection[str]
) -> Mapping[str, Template]:
    """Return the parts of a file by their headings; raises InvalidSettings where one is missing."""
    parts = heading.split(text)
    found = {
        code: template(f"{name} [{code}]", part.strip())
        for code, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    missing = sorted(set(needed) - found.keys())
    if missing:
        raise InvalidSettings(
            f"The template {name} has no section for {listing(missing)}: copy the shipped "
            "file and change its texts, but keep every section."
        )
    return found


def render(name: str, template: Template, known: Mapping[str, object]) -> str:
    """Fill a template in; raises InvalidSettings where it cannot be."""
    try:
        return template.render(known)
    except Exception as problem:  # whatever an own template does wrong: Jinja runs it as Python
        raise InvalidSettings(
            f"The template {name} cannot be filled in: {problem}. Mend it in the folder "
            "that UPDATER_TEMPLATES names."
        ) from problem
