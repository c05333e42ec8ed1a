{{/* The release's own name of everything: "iris" in a release called iris, else "release-iris". */}}
{{- define "iris.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods. Kubernetes never lets a selector change: no version may stand in it. */}}
{{- define "iris.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What the Deployment itself carries; not its pods, which a new version of the chart would restart. */}}
{{- define "iris.labels" -}}
{{ include "iris.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* repository:tag, repository@digest or repository:tag@digest; a digest given as the tag is one, too. */}}
{{- define "iris.image" -}}
{{- $tag := toString (default "" .Values.image.tag) -}}
{{- $digest := toString (default "" .Values.image.digest) -}}
{{- if hasPrefix "sha256:" $tag -}}
{{- $digest = $tag -}}
{{- $tag = "" -}}
{{- end -}}
{{- $named := or $tag $digest | required "image.tag is missing: give an environment's file, such as -f values-dev.yaml, or a tag of your own" -}}
{{- .Values.image.repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with $digest }}@{{ . }}{{ end -}}
{{- end -}}
