"""Renders charts with a real Helm, the way `helm template` does.

Hides where Helm is found, its processes and their surroundings: each chart is written to a folder that
goes afterwards, and Helm sees no home, no plugins, no cluster and no network of the caller. `oneshot`
calls it for `updater check`. It never fetches a dependency and never judges what was rendered.
"""

from __future__ import annotations

import bisect
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from updater.errors import InvalidRequest
from updater.model import Files, Render, Rendered

# A chart that takes longer than this, in seconds, is a loop in its templates.
_TIMEOUT = 60.0
_VERSION = re.compile(r"v([0-9]+)\.[0-9]+\.[0-9]+[^+\s]*")
_OLDEST = 3
_ERROR = re.compile(r"^Error: ", re.MULTILINE)
_HINT = "Use --debug flag to render out invalid YAML"
_RELEASE = "release"


class Helm:
    """One Helm of this machine."""

    def __init__(self, program: Path, version: str) -> None:
        self._program = program
        self.version = version

    @classmethod
    def find(cls, program: Path | None = None) -> Helm | None:
        """Return the Helm at a path, else the one on PATH; None where none was named and there is none.

        Raises:
            InvalidRequest: what was named is no Helm 3 or newer.
        """
        found = str(program) if program is not None else shutil.which("helm")
        if found is None:
            return None
        # Later it is started from another folder.
        place = Path(found).absolute()
        version = _version(place)
        if version is None and program is not None:
            if not place.is_file():
                raise InvalidRequest(f"There is no file {program}: name the program helm itself.")
            raise InvalidRequest(f"{program} is no Helm {_OLDEST} or newer: name the program helm itself.")
        return cls(place, version) if version is not None else None

    def render(self, files: Files, renders: Iterable[Render]) -> Iterator[Rendered]:
        """Render charts of the files, as many at once as there are processors; yield them in their order.

        Files are read by the calling thread alone.
        """
        paths = sorted(files.paths)
        workers = os.cpu_count() or 1
        waiting: deque[Future[Rendered]] = deque()
        with (
            tempfile.TemporaryDirectory(prefix="updater-helm-") as root,
            ThreadPoolExecutor(max_workers=workers) as pool,
        ):
            try:
                for number, render in enumerate(renders):
                    place = Path(root) / str(number)
                    _lay_out(files, paths, render, place)
                    waiting.append(pool.submit(self._render, render, place))
                    if len(waiting) > 2 * workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _render(self, render: Render, place: Path) -> Rendered:
        chart = place / "repo"
        command = [str(self._program), "template", _RELEASE, f"./{render.chart}", "--skip-tests"]
        command += [f"--values={_word(path)}" for path in _value_files(render)]
        try:
            done = subprocess.run(
                command,
                cwd=chart,
                env=_surroundings(place),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Rendered(render, "", f"helm template did not end within {_TIMEOUT:g} seconds")
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if done.returncode:
            return Rendered(render, "", _words(done.stderr.decode(errors="replace"), str(chart)))
        return Rendered(render, done.stdout.decode(errors="replace"))


def _version(program: Path) -> str | None:
    try:
        done = subprocess.run(
            [str(program), "version", "--short"],
            env=_surroundings(Path(tempfile.gettempdir())),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.match(done.stdout.decode(errors="replace"))
    return found[0] if found and done.returncode == 0 and int(found[1]) >= _OLDEST else None


def _surroundings(home: Path) -> dict[str, str]:
    """Return an environment without the caller's Helm settings, plugins, clusters and proxies."""
    # Helm is a process of 40 ms, a sixth of which goes into collecting garbage that ends with it.
    return {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "GOGC": "400"}


def _lay_out(files: Files, paths: Sequence[str], render: Render, place: Path) -> None:
    """Write what Helm reads below `place`/repo, each file where it is in the repo."""
    named = (path for path in render.values if isinstance(path, str))
    copies = {path: path for path in (*_below(paths, render.chart), *named)}
    for folder, name in render.borrowed:
        target = "/".join(part for part in (render.chart, "charts", name) if part)
        copies |= {f"{target}/{path[len(folder) + 1 :]}": path for path in _below(paths, folder)}
    contents = files.read_many(frozenset(copies.values()))
    repo = place / "repo"
    repo.mkdir(parents=True)
    made = {repo}
    for target, source in copies.items():
        file = repo / target
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.write_bytes(contents[source])
    for path, values in zip(_value_files(render), render.values, strict=True):
        if isinstance(values, bytes):
            (repo / path).write_bytes(values)


def _value_files(render: Render) -> list[str]:
    """Return the files of all values as Helm is told them; what stands in none lies outside the repo."""
    return [
        f"../values-{number}.json" if isinstance(values, bytes) else values
        for number, values in enumerate(render.values)
    ]


def _below(paths: Sequence[str], folder: str) -> Sequence[str]:
    """Return the files below a folder, of sorted names."""
    if not folder:
        return paths
    start = bisect.bisect_left(paths, f"{folder}/")
    return paths[start : bisect.bisect_left(paths, f"{folder}0", start)]


def _word(path: str) -> str:
    """Return a path as Helm's list of files takes it: by the rules of CSV."""
    doubled = path.replace('"', '""')
    return f'"{doubled}"' if "," in path or '"' in path else path


def _words(text: str, folder: str) -> str:
    """Return Helm's own words, without where the files were put for it and what it warned of before."""
    found = _ERROR.search(text)
    words = text[found.end() :] if found else text
    return words.replace(_HINT, "").replace(f"{folder}/", "").strip()
