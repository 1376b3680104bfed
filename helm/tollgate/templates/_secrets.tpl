{{/*
What is generated once: chance would give every template another value, so the first one asked keeps it in the values of
this rendering, and what the cluster already has wins.
*/}}
{{- define "tollgate.keyring" -}}
{{- if not (hasKey .Values "generatedKeyring") -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace (printf "%s-keyring" (include "tollgate.fullname" .)) -}}
{{- $kept := dig "data" "keyring" "" (default (dict) $old) -}}
{{- $fresh := printf "lookup:%s\n1:%s\n" (randBytes 32) (randBytes 32) | b64enc -}}
{{- $_ := set .Values "generatedKeyring" (default $fresh $kept) -}}
{{- end -}}
{{- .Values.generatedKeyring -}}
{{- end -}}

{{- define "tollgate.adminToken" -}}
{{- if not (hasKey .Values "generatedAdminToken") -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace (printf "%s-admin-token" (include "tollgate.fullname" .)) -}}
{{- $kept := dig "data" "token" "" (default (dict) $old) -}}
{{- $_ := set .Values "generatedAdminToken" (ternary (b64dec $kept) (randAlphaNum 40) (ne $kept "")) -}}
{{- end -}}
{{- .Values.generatedAdminToken -}}
{{- end -}}

{{- define "tollgate.keyringSecret" -}}
{{- default (printf "%s-keyring" (include "tollgate.fullname" .)) .Values.keyring.existingSecret -}}
{{- end -}}

{{- define "tollgate.keyringKey" -}}
{{- ternary .Values.keyring.existingSecretKey "keyring" (ne .Values.keyring.existingSecret "") -}}
{{- end -}}

{{/* Volumes of authorities: dict "name" database or redis, "ca" the values. */}}
{{- define "tollgate.caVolume" -}}
{{- if .ca.existingSecret }}
- name: {{ .name }}-ca
  secret:
    secretName: {{ .ca.existingSecret }}
    items: [{key: {{ .ca.key | quote }}, path: ca.crt}]
{{- else if .ca.existingConfigMap }}
- name: {{ .name }}-ca
  configMap:
    name: {{ .ca.existingConfigMap }}
    items: [{key: {{ .ca.key | quote }}, path: ca.crt}]
{{- end }}
{{- end -}}

{{- define "tollgate.caMount" -}}
{{- if or .ca.existingSecret .ca.existingConfigMap }}
- name: {{ .name }}-ca
  mountPath: /etc/tollgate/{{ .name }}-ca
  readOnly: true
{{- end }}
{{- end -}}
