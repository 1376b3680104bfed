{{- define "tollgate.variable" -}}
- name: {{ .name }}
  value: {{ .value | quote }}
{{- end -}}

{{- define "tollgate.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/* Environment of a gateway. What the chart decides comes last: Kubernetes lets the last of a name win. */}}
{{- define "tollgate.env" -}}
{{- $address := .Values.listenAddress -}}
{{- $name := include "tollgate.fullname" . -}}
{{- range $section, $keys := .Values.settings }}
{{- range $key, $value := $keys }}
{{ include "tollgate.variable" (dict "name" (printf "TOLLGATE_%s_%s" $section $key | upper) "value" (include "tollgate.text" $value)) }}
{{- end }}
{{- end }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PROXY_LISTEN" "value" (printf "%s:8000" $address)) }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PROXY_LISTEN_TLS" "value" (ternary (printf "%s:8443" $address) "none" .Values.proxy.tls.enabled)) }}
{{- if and .Values.proxy.tls.enabled .Values.proxy.tls.existingSecret }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PROXY_TLS_CERT" "value" "/etc/tollgate/tls/tls.crt") }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PROXY_TLS_KEY" "value" "/etc/tollgate/tls/tls.key") }}
{{- end }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PROXY_DRAIN_TIMEOUT" "value" (printf "%ds" (int .Values.proxy.drainSeconds))) }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_ADMIN_LISTEN" "value" (printf "%s:8001" $address)) }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_STATUS_LISTEN" "value" (printf "%s:8100" $address)) }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PORTAL_ENABLED" "value" (toString .Values.portal.enabled)) }}
{{- if .Values.portal.enabled }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PORTAL_LISTEN" "value" (printf "%s:8003" $address)) }}
{{- with .Values.portal.url }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PORTAL_URL" "value" .) }}
{{- end }}
{{- with .Values.portal.proxyUrl }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_PORTAL_PROXY_URL" "value" .) }}
{{- end }}
{{- end }}
{{ include "tollgate.databaseEnv" (dict "top" . "secret" (printf "%s-database" $name)) }}
{{- with .Values.redis }}
{{- if or .url .existingSecret }}
{{ include "tollgate.fromSecret" (dict "name" "TOLLGATE_REDIS_URL" "secret" (default (printf "%s-redis" $name) .existingSecret) "key" (ternary .existingSecretKey "url" (ne .existingSecret ""))) }}
{{- end }}
{{- end }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_KEYRING_FILE" "value" "/etc/tollgate/keyring/keyring") }}
{{- with .Values.adminToken }}
{{ include "tollgate.fromSecret" (dict "name" "TOLLGATE_ADMIN_TOKENS" "secret" (default (printf "%s-admin-token" $name) .existingSecret) "key" (ternary .existingSecretKey "tokens" (ne .existingSecret ""))) }}
{{- end }}
{{- with .Values.smtp }}
{{- if .existingSecret }}
{{ include "tollgate.fromSecret" (dict "name" "TOLLGATE_SMTP_URL" "secret" .existingSecret "key" .existingSecretKey) }}
{{- end }}
{{- end }}
{{- with .Values.telemetry }}
{{- if .otlpEndpoint }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_TELEMETRY_OTLP_ENDPOINT" "value" .otlpEndpoint) }}
{{- end }}
{{- if .existingSecret }}
{{ include "tollgate.fromSecret" (dict "name" "TOLLGATE_TELEMETRY_OTLP_HEADERS" "secret" .existingSecret "key" .existingSecretKey) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where the database is: dict "top" $, "secret" the Secret that has the URL where none was named. */}}
{{- define "tollgate.databaseEnv" -}}
{{- with .top.Values.database -}}
{{- if eq .type "sqlite" -}}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_DATABASE_URL" "value" "sqlite:/var/lib/tollgate/tollgate.db") }}
{{ include "tollgate.variable" (dict "name" "TOLLGATE_DATABASE_AUTO_MIGRATE" "value" "true") }}
{{- else -}}
{{ include "tollgate.fromSecret" (dict "name" "TOLLGATE_DATABASE_URL" "secret" (default $.secret .existingSecret) "key" (ternary .existingSecretKey "url" (ne .existingSecret ""))) }}
{{- end -}}
{{- end -}}
{{- end -}}
