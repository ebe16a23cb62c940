resource "google_cloud_tasks_queue" "suite" {
  for_each = toset(local.manifest.queues)

  name     = "${var.name}-${each.key}"
  location = var.region

  # a message that is not settled goes to the dead letters long before this; the rest is for when those are away
  retry_config {
    max_attempts       = -1
    max_retry_duration = "2592000s"
    min_backoff        = "2s"
    max_backoff        = "300s"
    max_doublings      = 8
  }

  rate_limits {
    max_concurrent_dispatches = 10
    max_dispatches_per_second = 50
  }

  stackdriver_logging_config {
    sampling_ratio = 1
  }

  depends_on = [google_project_service.used]
}

locals {
  # which function handles each queue
  workers = { for name, each in local.queued : each.trigger.queue => name }
}
