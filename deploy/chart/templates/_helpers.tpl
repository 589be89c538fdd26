{{- define "convox-bot.selector" -}}
app.kubernetes.io/name: convox-bot
{{- end }}

{{- define "convox-bot.labels" -}}
{{ include "convox-bot.selector" . }}
app.kubernetes.io/part-of: convox-bot
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "convox-bot.policy" -}}
{{ required "who may do what? --set-file policy=policy.yaml (deploy/policy.yaml is an example)" .Values.policy }}
{{- end }}

{{- define "convox-bot.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}
