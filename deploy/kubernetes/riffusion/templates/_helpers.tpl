{{- define "riffusion.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "riffusion.selector" -}}
app.kubernetes.io/name: riffusion
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "riffusion.labels" -}}
{{ include "riffusion.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* A model of the list, with the defaults. Takes {root, model}; returns YAML. */}}
{{- define "riffusion.model" -}}
{{- $model := mustMergeOverwrite (deepCopy .root.Values.workers.defaults) .model -}}
{{- if not (hasKey $model "model") -}}{{- $_ := set $model "model" $model.name -}}{{- end -}}
{{- toYaml $model -}}
{{- end -}}

{{/* Seconds that a worker gets to finish its jobs: the longest that one may run. */}}
{{- define "riffusion.drainSeconds" -}}
{{- int .Values.jobs.runningDeadlineSeconds -}}
{{- end -}}

{{/* Seconds until Kubernetes kills a worker: a minute later. By then, it has returned what still ran to the queue. */}}
{{- define "riffusion.workerGraceSeconds" -}}
{{- add (include "riffusion.drainSeconds" .) 60 -}}
{{- end -}}

{{/* Seconds until Kubernetes kills a pod of the API: it answers requests under way for up to 30 s. */}}
{{- define "riffusion.apiGraceSeconds" -}}
{{- add .Values.api.preStopSeconds 40 -}}
{{- end -}}

{{/* Days after which the bucket may delete a file of the sweep's: a copy at the end of a result's time keeps it for as long again,
     and a job that starts from it for as long as that takes. Takes {root, seconds}. */}}
{{- define "riffusion.lifecycleDays" -}}
{{- $job := add .root.Values.jobs.waitingDeadlineSeconds (mul 10 .root.Values.jobs.runningDeadlineSeconds) -}}
{{- add 1 (div (add (mul 2 .seconds) $job 86399) 86400) -}}
{{- end -}}

{{/* Numbers as they were written: Helm reads 100000000 as 1e+08. */}}
{{- define "riffusion.value" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end -}}
{{- end -}}

{{- define "riffusion.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "riffusion.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* What is the same in all pods. Service links would be read as settings: RIFFUSION_API_PORT=tcp://… As process 1, one that
     still loads its model would ignore SIGTERM, because it has no handler yet, and take jobs until it is killed. */}}
{{- define "riffusion.podCommon" -}}
shareProcessNamespace: true
serviceAccountName: {{ include "riffusion.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "riffusion.podSecurity" . | nindent 2 }}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The settings that API and workers share; secrets by reference. */}}
{{- define "riffusion.env" -}}
- name: RIFFUSION_REDIS_URL
  {{- if .Values.redis.existingSecret.name }}
  valueFrom:
    secretKeyRef: {name: {{ .Values.redis.existingSecret.name }}, key: {{ .Values.redis.existingSecret.key }}}
  {{- else }}
  value: {{ required "redis.url, or redis.existingSecret.name, says where Redis is" .Values.redis.url | quote }}
  {{- end }}
{{- with .Values.s3.existingSecret }}
{{- if .name }}
- name: RIFFUSION_S3_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .accessKey }}}
- name: RIFFUSION_S3_SECRET_KEY
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .secretKey }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "riffusion.settings" -}}
{{- $own := dict
  "public_url" (required "publicUrl is the address under which clients reach the API" .Values.publicUrl)
  "trusted_proxies" (ternary 1 0 .Values.ingress.enabled)
  "storage" "s3"
  "s3_region" .Values.s3.region
  "s3_bucket" .Values.s3.bucket
  "s3_prefix" .Values.s3.prefix
  "result_ttl_s" .Values.retention.results
  "upload_ttl_s" .Values.retention.uploads
  "waiting_deadline_s" .Values.jobs.waitingDeadlineSeconds
  "running_deadline_s" .Values.jobs.runningDeadlineSeconds
-}}
{{- with .Values.s3.endpoint }}{{ $_ := set $own "s3_endpoint" . }}{{ end -}}
{{- with .Values.s3.publicEndpoint }}{{ $_ := set $own "s3_public_endpoint" . }}{{ end -}}
{{- range $name, $value := mustMergeOverwrite $own .Values.settings }}
RIFFUSION_{{ upper $name }}: {{ include "riffusion.value" $value }}
{{- end }}
{{- end -}}

{{/* The public addresses: what webhooks may reach (riffusion/jobs/webhooks/public_address.py), less the cluster's ranges. */}}
{{- define "riffusion.publicPeers" -}}
{{- $v4 := list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.0.0.0/24"
  "192.0.2.0/24" "192.88.99.0/24" "192.168.0.0/16" "198.18.0.0/15" "198.51.100.0/24" "203.0.113.0/24" "224.0.0.0/4"
  "240.0.0.0/4" "168.63.129.16/32" -}}
{{- $v6 := list "2001::/23" "2001:db8::/32" "2002::/16" "3fff::/20" -}}
{{- range .Values.networkPolicy.clusterRanges -}}
{{- if contains ":" . }}{{ $v6 = append $v6 . }}{{ else }}{{ $v4 = append $v4 . }}{{ end -}}
{{- end -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: {{ toJson $v4 }}
- ipBlock:
    cidr: 2000::/3
    except: {{ toJson $v6 }}
{{- end -}}

{{/* Egress that API and workers share. */}}
{{- define "riffusion.egress" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    {{- required "redis.peers says to the network policies where Redis is" .Values.redis.peers | toYaml | nindent 4 }}
  ports:
    {{- range .Values.redis.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
- to:
    {{- if .Values.s3.peers }}
    {{- toYaml .Values.s3.peers | nindent 4 }}
    {{- else }}
    {{- include "riffusion.publicPeers" . | nindent 4 }}
    {{- end }}
  ports:
    - {port: {{ .Values.s3.port }}, protocol: TCP}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
