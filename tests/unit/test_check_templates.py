"""Templates as text: what Helm could not parse, and versions where they restart pods or freeze selectors."""

from __future__ import annotations

import pytest
from support.checks import DEPLOYMENT, MESSAGES, OVERLAYS, changed, found, places, repo

from updater.check import fingerprints

HOME = "charts/iris"
FILE, HELPERS = f"{HOME}/templates/deployment.yaml", f"{HOME}/templates/_helpers.tpl"
LABELS = """\
{{- define "iris.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version -}}
{{- end -}}
{{- define "iris.labels" -}}
{{- if .Values.extra }}
extra: "it's"
{{- end }}
helm.sh/chart: {{ include "iris.chart" . }}
{{- end -}}
{{- define "iris.names" -}}
app: {{ .Release.Name }}
{{- end -}}
"""
SELECTOR = "    matchLabels:\n      app: {{ .Release.Name }}\n"
POD = "      labels:\n        app: {{ .Release.Name }}\n"
OBJECT = "  name: {{ .Release.Name }}\n"


def include(name: str, indent: int, key: str) -> str:
    return f'{key}\n{{{{ include "{name}" . | indent {indent} }}}}\n'


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind: Deployment\n", "<<<<<<< HEAD\nkind: Deployment\n", 2),
        ("kind: Deployment\n", "kind: Deployment\n>>>>>>> feature\n", 3),
        (OBJECT, "  name: {{'{{ .Release.Name '}}}}\n", 4),
        (OBJECT, '  name: {{ include "iris.names" . \' }}\n', 4),
        (OBJECT, "  name: {{ default 'iris' .Values.name }}\n", 4),
        ("kind: Deployment\n", "kind: Deployment\n{% raw %}\n", 3),
    ],
)
def test_what_helm_cannot_parse_is_told(old: str, new: str, line: int) -> None:
    files = repo(OVERLAYS, {HELPERS: LABELS, FILE: DEPLOYMENT.replace(old, new)})
    assert places(found(files)) == [("E15", FILE, line)]


@pytest.mark.parametrize(
    "text",
    [
        "{{/* it's a comment */}}\n",
        "{{- /* it's\ntwo lines */ -}}\n",
        "{{ splitList `'` .Values.a }}\n",
        '{{ "it\'s" }}\n',
        "{{ trimAll 'a' .Values.a }}\n",
        '{{ "{{" }} $labels.pod {{ "}}" }}\n',
        "{{`{{ it's }}`}}\n",
        "# it's = ======= \n",
        '{{- /* include "nobody" . */}}\n',
        '# {{/* {{ include "nobody" . }} */}}\n',
        '{{ `{{ include "nobody" . }}` }}\n',
        '{{ define `raw` }}a{{ end }}{{ include "raw" . }}\n',
    ],
)
def test_what_go_templates_may_hold_is_no_fault(text: str) -> None:
    assert found(changed(OVERLAYS, FILE, DEPLOYMENT + text)) == ()


def test_a_name_that_nobody_defines_is_told() -> None:
    text = DEPLOYMENT.replace(OBJECT, include("fullname", 0, OBJECT.strip("\n")))
    assert places(found(changed(OVERLAYS, FILE, text))) == [("E21", FILE, 5)]
    assert found(repo(OVERLAYS, {FILE: text, HELPERS: '{{ define "fullname" }}a{{ end }}'})) == ()
    sub = {f"{HOME}/charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n"}
    sub[f"{HOME}/charts/lib/templates/_all.tpl"] = '{{ define "fullname" }}a{{ end }}'
    assert found(repo({**OVERLAYS, **sub}, {FILE: text})) == ()


def test_a_dependency_that_is_not_unpacked_may_define_names() -> None:
    chart = OVERLAYS[f"{HOME}/Chart.yaml"] + "dependencies: [{name: common, version: 1.0.0}]\n"
    text = DEPLOYMENT + '{{ include "common.all" . }}\n'
    assert found(repo(OVERLAYS, {f"{HOME}/Chart.yaml": chart, FILE: text})) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "where"),
    [
        (SELECTOR, include("iris.labels", 6, "    matchLabels:"), 8, "selector"),
        (SELECTOR, "    matchLabels:\n      app.kubernetes.io/version: '1'\n", 8, "selector"),
        (POD, include("iris.labels", 8, "      labels:"), 12, "pod template"),
        (POD, "      labels:\n        version: {{ .Chart.AppVersion | quote }}\n", 12, "pod template"),
        (POD, '      labels: {{- include "iris.labels" . | nindent 8 }}\n', 11, "pod template"),
        (SELECTOR, '    matchLabels: {{- include "iris.labels" . | nindent 6 }}\n', 7, "selector"),
    ],
)
def test_versions_in_selectors_and_pods_are_told(old: str, new: str, line: int, where: str) -> None:
    assert old in DEPLOYMENT
    (one,) = found(repo(OVERLAYS, {HELPERS: LABELS, FILE: DEPLOYMENT.replace(old, new)}))
    assert (one.code, one.file, one.line, one.facts["where"]) == ("W5", FILE, line, where)


def test_versions_in_comments_are_in_nobodys_way() -> None:
    names = '{{ define "iris.pod" }}\n{{- /* no .Chart.Version:\nit restarts */}}\n'
    names += "# helm.sh/chart: is not here\na: b\n{{ end }}"
    pod = f"{include('iris.pod', 8, '      labels:')}        # app.kubernetes.io/version: of the object\n"
    assert found(repo(OVERLAYS, {HELPERS: names, FILE: DEPLOYMENT.replace(POD, pod)})) == ()


def test_versions_elsewhere_are_right() -> None:
    text = DEPLOYMENT.replace(OBJECT, OBJECT + include("iris.labels", 4, "  labels:"))
    text = text.replace(SELECTOR, include("iris.names", 6, "    matchLabels:"))
    text = text.replace("tag }}", "tag | default .Chart.AppVersion }}")
    assert found(repo(OVERLAYS, {HELPERS: LABELS, FILE: text})) == ()


def test_what_comes_after_a_selector_is_not_in_it() -> None:
    service = 'spec:\n  selector:\n    app: iris\n  {{- include "iris.labels" . | nindent 2 }}\n'
    helpers = LABELS + '{{ define "a" }}\nselector:\n  app: a\n{{ end }}\n{{ define "b" }}\n'
    helpers += '{{ include "iris.labels" . }}\n{{ end }}\n'
    assert found(repo(OVERLAYS, {HELPERS: helpers, f"{HOME}/templates/service.yaml": service})) == ()


def test_templates_that_include_each_other_end() -> None:
    loop = '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}'
    text = DEPLOYMENT.replace(SELECTOR, include("a", 6, "    matchLabels:"))
    assert found(repo(OVERLAYS, {HELPERS: loop, FILE: text})) == ()


def test_names_that_fan_out_and_quotes_without_an_end_cost_no_time() -> None:
    fan = "".join(
        f'{{{{ define "a{n}" }}}}{{{{ include "a{n + 1}" . }}}}{{{{ include "a{n + 1}" . }}}}{{{{ end }}}}'
        for n in range(60)
    )
    fan += '{{ define "a60" }}{{ end }}'
    text = DEPLOYMENT.replace(SELECTOR, include("a0", 6, "    matchLabels:"))
    assert found(repo(OVERLAYS, {HELPERS: fan, FILE: text})) == ()
    assert found(changed(OVERLAYS, FILE, DEPLOYMENT + "{{ " + '"' * 5001 + "`" * 5001 + "'")) == ()


def test_what_many_lines_have_in_common_is_told_once_and_goes_by_one_name() -> None:
    broken = "{{'{{ .Values.%s '}}}}\n"
    some = DEPLOYMENT + "".join(broken % name for name in "abc") + 2 * '{{ include "nobody" . }}\n'
    first = found(changed(OVERLAYS, FILE, some))
    count = DEPLOYMENT.count("\n")
    told = [(one.code, one.line, one.facts["more_lines"]) for one in first]
    assert told == [("E15", count + 1, [count + 2, count + 3]), ("E21", count + 4, [count + 5])]
    escape, unknown = (MESSAGES.tell(one.code, one.facts).what for one in first)
    assert escape.endswith(f" The same in lines {count + 2} and {count + 3}.")
    assert unknown.endswith(f" The same in line {count + 5}.")
    # The first of them is mended, and lines come before.
    fewer = "# a comment\n" + some.replace(broken % "a", "")
    assert fingerprints(found(changed(OVERLAYS, FILE, fewer))) == fingerprints(first)


def test_the_templates_of_the_original_account_are_told_by_their_faults() -> None:
    """An own copy of its faults: escapes of a blog, a stray quote, helpers that are nowhere."""
    escaped = DEPLOYMENT.replace("{{ .Release.Name }}", "{{'{{ .Release.Name '}}}}")
    told = found(repo(OVERLAYS, {FILE: escaped}))
    assert [(one.code, one.line, one.facts["more_lines"]) for one in told] == [("E15", 4, [8, 12])]
    text = DEPLOYMENT.replace(OBJECT, '  name: {{ include "fullname" . \' }}\n')
    text = text.replace(SELECTOR, include("labels", 6, "    matchLabels:"))
    told = found(repo(OVERLAYS, {FILE: text}))
    assert [(one.code, one.line) for one in told] == [("E15", 4), ("E21", 4), ("E21", 8)]
