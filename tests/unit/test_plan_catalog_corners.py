"""Corners of the rule `chart`: sidecars, sub-charts, pins, odd files."""

from __future__ import annotations

from support.plans import IRIS, Branch, content, deployed, notes, reason, request, told

from updater.model import Source

REG = "registry.example.com"
T = "tags: {pattern: '^develop-(?P<build>[0-9]+)$'}"


def branch(files: dict[str, str], chart: str, where: str = "delivery: commit", more: str = "") -> Branch:
    return Branch(files, f"environments:\n  dev:\n    {where}\n    {T}\n    chart: {chart}\n{more}")


def chart(version: str = "0.1.0", app: str = "develop-100") -> str:
    return f"apiVersion: v2\nname: iris\nversion: {version}\nappVersion: '{app}'\n"


def test_a_sidecar_in_an_overlay_does_not_name_the_chart() -> None:
    files = {
        "charts/iris/Chart.yaml": chart(),
        "charts/iris/values.yaml": (
            f"image:\n  repository: {IRIS}\n  tag: develop-100\n"
            f"log:\n  image:\n    repository: {REG}/log\n    tag: develop-1\n"
        ),
        "charts/iris/values-dev.yaml": "log:\n  image:\n    tag: develop-1\n",
    }
    desk = branch(files, "{app-version: true}", "files: charts/*/values-dev.yaml")
    planned = desk.asks("log:develop-2")
    assert set(told(planned).values()) == {"committed"}
    assert "charts/iris/Chart.yaml" not in deployed(planned)[-1].files, content(
        planned, "charts/iris/Chart.yaml"
    )


def test_a_sidecar_in_a_second_values_file_of_a_version_does_not_name_the_chart() -> None:
    home = "charts/iris/0.1.100"
    files = {
        f"{home}/Chart.yaml": chart("0.1.100"),
        f"{home}/values.yaml": f"image:\n  repository: {IRIS}\n  tag: develop-100\n",
        f"{home}/values-log.yaml": f"log:\n  repository: {REG}/log\n  tag: develop-1\n",
    }
    desk = branch(
        files, "{app-version: true, version: build, directory: true}", "files: charts/*/*/values*.yaml"
    )
    planned = desk.asks("log:develop-2")
    assert set(told(planned).values()) == {"committed"}, reason(planned)
    assert "appVersion: 'develop-100'" in content(planned, "charts/iris/0.1.101/Chart.yaml")


def test_a_pinned_place_is_found_in_the_next_version_too() -> None:
    home = "charts/iris/0.1.100"
    files = {f"{home}/Chart.yaml": chart("0.1.100"), f"{home}/values.yaml": "app:\n  version: develop-100\n"}
    pin = f"images:\n- {{repository: {IRIS}, file: {home}/values.yaml, path: app.version}}\n"
    desk = branch(files, "{version: build, directory: true}", more=pin)
    first = desk.asks("iris:develop-101")
    assert set(told(first).values()) == {"committed"}, reason(first)
    after = {**files, **{p: c.decode() for p, c in deployed(first)[-1].files.items() if c is not None}}
    again = branch(after, "{version: build, directory: true}", more=pin).asks("iris:develop-102")
    assert set(told(again).values()) == {"committed"}, reason(again)


def test_the_chart_that_is_installed_rises_with_an_image_of_its_sub_chart() -> None:
    files = {
        "charts/iris/Chart.yaml": chart()
        + "dependencies:\n- {name: redis, version: 1.0.0, repository: ''}\n",
        "charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  tag: develop-100\n",
        "charts/iris/charts/redis/Chart.yaml": "apiVersion: v2\nname: redis\nversion: 1.0.0\n",
        "charts/iris/charts/redis/values.yaml": f"image:\n  repository: {REG}/redis\n  tag: develop-1\n",
    }
    desk = branch(files, "{version: patch}", "files: '**/values.yaml'")
    planned = desk.asks("redis:develop-2")
    assert set(told(planned).values()) == {"committed"}, reason(planned)
    assert "charts/iris/Chart.yaml" in deployed(planned)[-1].files, sorted(deployed(planned)[-1].files)


def test_a_sub_chart_in_a_version_folder_makes_a_new_version_of_its_chart() -> None:
    home = "charts/iris/0.1.100"
    files = {
        f"{home}/Chart.yaml": chart("0.1.100"),
        f"{home}/values.yaml": f"image:\n  repository: {IRIS}\n  tag: develop-100\n",
        f"{home}/charts/redis/Chart.yaml": "apiVersion: v2\nname: redis\nversion: 1.0.0\n",
        f"{home}/charts/redis/values.yaml": f"image:\n  repository: {REG}/redis\n  tag: develop-1\n",
    }
    desk = branch(files, "{version: patch, directory: true}", "files: '**/values.yaml'")
    planned = desk.asks("redis:develop-2")
    assert set(told(planned).values()) == {"committed"}, planned.verdicts[0].reason


def test_version_patch_does_not_make_a_folder_lie_about_its_version() -> None:
    home = "charts/iris/0.1.100"
    files = {
        f"{home}/Chart.yaml": chart("0.1.100"),
        f"{home}/values.yaml": f"image:\n  repository: {IRIS}\n  tag: develop-100\n",
    }
    planned = branch(files, "{version: patch}").asks("iris:develop-101")
    assert set(told(planned).values()) != {"committed"} or notes(planned) != ["chart-version"], content(
        planned, f"{home}/Chart.yaml"
    )


def test_three_images_of_one_chart_in_one_batch_with_few_folders_kept() -> None:
    home = "charts/iris/0.1.100"
    values = "".join(f"{n}:\n  repository: {REG}/{n}\n  tag: develop-1\n" for n in "abc")
    files = {f"{home}/Chart.yaml": chart("0.1.100"), f"{home}/values.yaml": values}
    planned = branch(files, "{version: patch, directory: true, keep: 2}").asks(
        "a:develop-2", "b:develop-2", "c:develop-2"
    )
    assert set(told(planned).values()) == {"committed"}


def test_a_pipeline_told_by_its_number_counts_beside_a_link_without_one() -> None:
    files = {
        "charts/iris/Chart.yaml": chart(),
        "charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  tag: v1.0.0\n",
    }
    rules = "environments:\n  dev:\n    tags: {order: semver}\n    chart: {version: build}\n"
    source = Source(pipeline_url="https://ci.example.com/job/iris/777/console", pipeline_id="777")
    planned = Branch(files, rules).asks(request(0, "iris:v1.0.1", source=source))
    assert "version: 0.1.777" in content(planned, "charts/iris/Chart.yaml"), content(
        planned, "charts/iris/Chart.yaml"
    )


def test_a_chart_file_with_a_mark_crlf_and_no_last_line_end() -> None:
    files = {
        "charts/iris/Chart.yaml": "\ufeffapiVersion: v2\r\nname: iris\r\nversion: 0.1.0",
        "charts/iris/values.yaml": f"image:\r\n  repository: {IRIS}\r\n  tag: develop-100\r\n",
        "charts/iris/QUESTIONS.YML": "questions:\r\n- variable: image.tag\r\n  default:\r\n",
    }
    planned = branch(files, "{version: build, app-version: true}").asks("iris:develop-101")
    assert content(planned, "charts/iris/Chart.yaml").startswith(
        '\ufeffapiVersion: v2\r\nname: iris\r\nversion: 0.1.101\r\nappVersion: "develop-101"'
    )
    assert content(planned, "charts/iris/QUESTIONS.YML") == (
        "questions:\r\n- variable: image.tag\r\n  default: develop-101\r\n"
    )


def test_an_anchor_shared_by_version_and_app_version_is_told_not_crashed() -> None:
    files = {
        "charts/iris/Chart.yaml": "apiVersion: v2\nname: iris\nversion: &v 0.1.0\nappVersion: *v\n",
        "charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  tag: develop-100\n",
    }
    planned = branch(files, "{version: build, app-version: true}").asks("iris:develop-101")
    assert set(told(planned).values()) == {"refused"}
    planned = branch(files, "{version: build}").asks("iris:develop-101")
    assert set(told(planned).values()) == {"refused"}, content(planned, "charts/iris/Chart.yaml")
