{{- define "langnghe.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "langnghe.labels" -}}
app.kubernetes.io/part-of: langnghe
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "langnghe.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "langnghe.container" -}}
image: {{ include "langnghe.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "langnghe.addresses" -}}
- {name: LANGNGHE_NATS_URL, value: {{ .Values.nats.url | quote }}}
- {name: LANGNGHE_NATS_CA, value: /etc/langnghe/ca.pem}
- {name: LANGNGHE_MONGO_URL_FILE, value: /etc/langnghe/mongo.url}
- {name: LANGNGHE_TIMEZONE, value: {{ .Values.timezone | quote }}}
{{- end -}}
