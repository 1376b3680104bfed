{{- define "tollgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that "-admin-token" still fits a name. */}}
{{- define "tollgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "tollgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tollgate.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tollgate.selector" -}}
app.kubernetes.io/name: {{ include "tollgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end -}}

{{/* Head of an object: dict "top" $, "name" NAME, "labels" more, "annotations" more, "component" gateway unless given. */}}
{{- define "tollgate.metadata" -}}
{{- $top := .top -}}
name: {{ .name }}
namespace: {{ $top.Release.Namespace }}
labels:
  app.kubernetes.io/name: {{ include "tollgate.name" $top }}
  app.kubernetes.io/instance: {{ $top.Release.Name }}
  app.kubernetes.io/component: {{ default "gateway" .component }}
  app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $top.Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | replace "+" "_" }}
{{- with merge (dict) (default (dict) .labels) $top.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with merge (dict) (default (dict) .annotations) $top.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "tollgate.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "tollgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tollgate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* "true" where there can be more than one gateway. */}}
{{- define "tollgate.several" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}true{{- end -}}
{{- end -}}

{{- define "tollgate.kubeVersion" -}}
{{- default .Capabilities.KubeVersion.Version .Values.kubeVersion -}}
{{- end -}}

{{/* Address families of a Service. */}}
{{- define "tollgate.families" -}}
{{- with .Values.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.ipFamilies }}
ipFamilies: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* A value of a setting as text: numbers come as floats, lists are joined by comma. */}}
{{- define "tollgate.text" -}}
{{- if kindIs "slice" . -}}{{- join "," . -}}
{{- else if kindIs "float64" . -}}{{- if eq (floor .) . -}}{{- int64 . -}}{{- else -}}{{- . -}}{{- end -}}
{{- else -}}{{- . -}}{{- end -}}
{{- end -}}
