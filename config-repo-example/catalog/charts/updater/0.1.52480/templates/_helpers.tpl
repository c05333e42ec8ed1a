{{/* The release's own name of everything: "updater" in a release called updater, else "release-updater". */}}
{{- define "updater.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods. Kubernetes never lets a selector change: no version may stand in it. */}}
{{- define "updater.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What the Deployment itself carries; not its pods, which a new version of the chart would restart. */}}
{{- define "updater.labels" -}}
{{ include "updater.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* repository:tag, repository@digest or repository:tag@digest; a digest given as the tag is one, too. */}}
{{- define "updater.image" -}}
{{- $tag := toString (default "" .Values.image.tag) -}}
{{- $digest := toString (default "" .Values.image.digest) -}}
{{- if hasPrefix "sha256:" $tag -}}
{{- $digest = $tag -}}
{{- $tag = "" -}}
{{- end -}}
{{- $named := or $tag $digest | required "image.tag is missing: give an environment's file, such as -f values-prod.yaml, or a tag of your own" -}}
{{- .Values.image.repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with $digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The names of the settings that are secrets themselves: they are given as files, never as values. */}}
{{- define "updater.secretSettings" -}}
UPDATER_REPO_TOKEN UPDATER_GITLAB_TOKEN UPDATER_GITLAB_HOOK_SECRET
{{- end -}}
