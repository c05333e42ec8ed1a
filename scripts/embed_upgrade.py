"""Puts templates/catalog-upgrade/upgrade.py into the component's template.yml, word for word.

A component brings one YAML file and nothing beside it. The program stays a file of its own, so that it is
linted, typed and tested as Python; a test holds the two together.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "templates/catalog-upgrade"
TEMPLATE, PROGRAM = FOLDER / "template.yml", FOLDER / "upgrade.py"
BEGIN, END = "<<'PYTHON'\n", "      PYTHON\n"


def embedded(template: str, program: str) -> str:
    """Return the template with this program in it."""
    before, _, rest = template.partition(BEGIN)
    _, _, after = rest.rpartition(END)
    return f"{before}{BEGIN}{textwrap.indent(program, ' ' * 6)}{END}{after}"


def main() -> int:
    """Write the template anew."""
    TEMPLATE.write_text(embedded(TEMPLATE.read_text(), PROGRAM.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
