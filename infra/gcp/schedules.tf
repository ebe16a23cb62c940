locals {
  # every minute where that is often enough or a function repeats inside it; else every so many minutes
  cron = { for name, each in local.scheduled : name => "*/${max(1, floor(each.trigger.every_seconds / 60))} * * * *" }

  # Cloud Scheduler starts a job only once its last run has ended, and a drain outlasts its minute so that the next one
  # has begun when it ends: so two jobs take turns.
  drains = merge(flatten([
    for name, each in local.streaming : [
      for number in range(lookup(var.drains, name, 1)) : {
        "${name}-${number}-even" = { function = name, schedule = "*/2 * * * *" }
        "${name}-${number}-odd"  = { function = name, schedule = "1-59/2 * * * *" }
      }
    ]
  ])...)
}

resource "google_cloud_scheduler_job" "schedule" {
  for_each = local.scheduled

  name             = "${local.slug[each.key]}-run"
  region           = var.region
  schedule         = local.cron[each.key]
  time_zone        = "Etc/UTC"
  attempt_deadline = "${min(1800, local.timeout[each.key])}s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.suite[each.key].service_config[0].uri}/run"

    oidc_token {
      service_account_email = google_service_account.invoker.email
      audience              = google_cloudfunctions2_function.suite[each.key].service_config[0].uri
    }
  }

  retry_config {
    retry_count = 0 # the next minute is soon enough
  }

  depends_on = [google_project_service.used]
}

resource "google_cloud_scheduler_job" "drain" {
  for_each = local.drains

  name             = "${var.name}-drain-${replace(each.key, "_", "-")}"
  region           = var.region
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${min(1800, local.timeout[each.value.function])}s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.suite[each.value.function].service_config[0].uri}/drain"

    oidc_token {
      service_account_email = google_service_account.invoker.email
      audience              = google_cloudfunctions2_function.suite[each.value.function].service_config[0].uri
    }
  }

  retry_config {
    retry_count = 0
  }

  depends_on = [google_project_service.used]
}
