{{/* dict "top" $, "face" proxy, admin or portal, "port" the Service's port. */}}
{{- define "tollgate.ingress" -}}
{{- $values := index .top.Values .face "ingress" -}}
{{- $service := printf "%s-%s" (include "tollgate.fullname" .top) .face -}}
{{- if $values.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "tollgate.metadata" (dict "top" .top "name" $service "annotations" $values.annotations) | nindent 2 }}
spec:
  {{- with $values.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with $values.tls }}
  tls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range default (list "") $values.hosts }}
    - {{ with . }}host: {{ . | quote }}
      {{ end }}http:
        paths:
          - path: {{ $values.path }}
            pathType: Prefix
            backend:
              service:
                name: {{ $service }}
                port: {name: {{ $.port }}}
    {{- end }}
{{- end }}
{{- end -}}

{{/* dict "top" $, "face" proxy, admin or portal, "kind" HTTPRoute or GRPCRoute. */}}
{{- define "tollgate.route" -}}
{{- $values := index .top.Values .face (ternary "grpcRoute" "httpRoute" (eq .kind "GRPCRoute")) -}}
{{- $service := printf "%s-%s" (include "tollgate.fullname" .top) .face -}}
{{- if $values.enabled }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {{ .kind }}
metadata:
  {{- include "tollgate.metadata" (dict "top" .top "name" $service "annotations" $values.annotations) | nindent 2 }}
spec:
  parentRefs:
    {{- toYaml $values.parentRefs | nindent 4 }}
  {{- with $values.hostnames }}
  hostnames: {{ toJson . }}
  {{- end }}
  rules:
    - backendRefs:
        - name: {{ $service }}
          port: {{ int (index .top.Values .face "service" "port") }}
{{- end }}
{{- end -}}
