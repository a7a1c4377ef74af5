{{- define "livecommerce.labels" -}}
app.kubernetes.io/name: livecommerce
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "livecommerce.image" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "livecommerce.environment" -}}
envFrom:
  - secretRef:
      name: {{ required "existingSecret: name a Secret with LIVECOMMERCE_SECRET, _REDIS_URL and _DATABASE_URL" .Values.existingSecret }}
{{- end }}

{{- define "livecommerce.variables" -}}
- {name: LIVECOMMERCE_HTTP_INTERNAL_HOST, value: "0.0.0.0"}
- {name: LIVECOMMERCE_LOG_FORMAT, value: json}
{{- range $name, $value := .Values.settings }}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "livecommerce.security" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "livecommerce.volumes" -}}
volumes:
  - {name: data, emptyDir: {}}
  - {name: tmp, emptyDir: {}}
{{- end }}

{{- define "livecommerce.probes" -}}
startupProbe:
  httpGet: {path: /health/ready, port: internal}
  periodSeconds: 2
  failureThreshold: 45
readinessProbe:
  httpGet: {path: /health/ready, port: internal}
  periodSeconds: 5
  timeoutSeconds: 4
livenessProbe:
  httpGet: {path: /health/live, port: internal}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
