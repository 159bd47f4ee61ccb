{{/*
Names are fixed, whatever the release is called: custom resources, the webhook and the roles are cluster-wide, so
there is one installation per cluster, and runners find the API server by its name.
*/}}

{{- define "flowpilot.labels" -}}
app.kubernetes.io/part-of: flowpilot
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "flowpilot.api.selector" -}}
app.kubernetes.io/name: flowpilot-api
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "flowpilot.operator.selector" -}}
app.kubernetes.io/name: flowpilot-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* An image: (list $ "repository") */}}
{{- define "flowpilot.image" -}}
{{- $root := index . 0 -}}
{{- printf "%s/%s:%s" $root.Values.images.registry (index . 1) ($root.Values.images.tag | default $root.Chart.AppVersion) -}}
{{- end }}

{{- define "flowpilot.adminTokenSecret" -}}
{{- .Values.adminToken.existingSecret | default "flowpilot-admin-token" -}}
{{- end }}

{{/* What Pod Security `restricted` asks of a pod. */}}
{{- define "flowpilot.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What it asks of a container, and a read-only root file system. */}}
{{- define "flowpilot.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "flowpilot.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{/* Where pods go: (dict "values" .Values.api "selector" <text>) */}}
{{- define "flowpilot.placement" -}}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
affinity:
{{- if .values.affinity }}
{{- toYaml .values.affinity | nindent 2 }}
{{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- .selector | nindent 12 }}
{{- end }}
{{- end }}

{{/* The API server's database, for `migrate` and `serve` alike. */}}
{{- define "flowpilot.databaseEnv" -}}
- name: FLOWPILOT_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.secretName }}, key: {{ .Values.database.urlKey }}}
{{- if .Values.database.caKey }}
- {name: PGSSLROOTCERT, value: /etc/flowpilot/database/ca.crt}
{{- end }}
{{- end }}

{{- define "flowpilot.logEnv" -}}
- {name: FLOWPILOT_LOG, value: {{ .Values.log.level | quote }}}
- {name: FLOWPILOT_LOG_FORMAT, value: {{ .Values.log.format | quote }}}
{{- end }}
