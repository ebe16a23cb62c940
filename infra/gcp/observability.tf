locals {
  alerts = {
    "stream-late" = {
      title     = "A stream's consumer is more than a minute behind"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=starts_with(\"${var.name}-\")"
      threshold = 60
      aligner   = "ALIGN_MAX"
      duration  = "120s"
    }
    "stream-dead" = {
      title     = "Records were given up by Pub/Sub itself"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=starts_with(\"${var.name}-\")"
      threshold = 0
      aligner   = "ALIGN_DELTA"
      duration  = "0s"
    }
    "errors" = {
      title     = "A function answers with errors"
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND metric.label.response_code_class=\"5xx\" AND resource.label.service_name=starts_with(\"${var.name}-\")"
      threshold = 10
      aligner   = "ALIGN_DELTA"
      duration  = "120s"
    }
    "queue-waits" = {
      title     = "A queue does not get smaller"
      filter    = "metric.type=\"cloudtasks.googleapis.com/queue/depth\" AND resource.type=\"cloud_tasks_queue\" AND resource.label.queue_id=starts_with(\"${var.name}-\")"
      threshold = 100
      aligner   = "ALIGN_MIN"
      duration  = "600s"
    }
  }
}

resource "google_monitoring_alert_policy" "suite" {
  for_each = local.alerts

  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = var.alert_channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = each.value.aligner
      }
    }
  }

  documentation {
    content   = "See the health view of the live page, and docs/deploy-gcp.md for what to do."
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.used]
}

resource "google_monitoring_dashboard" "suite" {
  dashboard_json = jsonencode({
    displayName = "Grandstand (${var.name})"
    gridLayout = {
      columns = 2
      widgets = [
        for key, each in local.alerts : {
          title = each.title
          xyChart = {
            dataSets = [{
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter      = each.filter
                  aggregation = { alignmentPeriod = "60s", perSeriesAligner = each.aligner }
                }
              }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.used]
}
