"""What the example's README has people do first: their own application's name, and a clean check."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from support.barerepo import clean_environment
from support.documents import ROOT, document

EXAMPLE = "config-repo-example/overlays"


def test_the_example_takes_the_name_of_another_application(tmp_path: Path) -> None:
    [block] = [code for _, code in document(f"{EXAMPLE}/README.md").code_blocks if "charts/shop" in code]
    checkout = shutil.copytree(ROOT / EXAMPLE, tmp_path / "CHECKOUT")
    program = tmp_path / "updater"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m updater "$@"\n')
    program.chmod(0o755)
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", block], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings in 2 charts." in done.stdout
    assert "./.updater" not in done.stdout, "the rules name no host"
    assert "docker-registry.example.com/shop" in done.stdout
    left = [path for path in checkout.rglob("*") if path.is_file() and b"iris" in path.read_bytes()]
    assert left == []
