# Sources lie in a bucket of their own, under a name that changes with their content.
resource "google_storage_bucket" "sources" {
  name                        = "${local.bucket}-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  encryption {
    default_kms_key_name = google_kms_crypto_key.suite.id
  }

  versioning {
    enabled = true
  }

  logging {
    log_bucket        = google_storage_bucket.logs.name
    log_object_prefix = "sources"
  }

  depends_on = [google_kms_crypto_key_iam_member.agents]
}

resource "google_storage_bucket_object" "source" {
  for_each = local.functions

  name   = "${each.key}-${local.packaged[each.key].sha256}.zip"
  bucket = google_storage_bucket.sources.name
  source = "${var.packages}/${local.packaged[each.key].archive}"
}

locals {
  # known before the service is there, so that one function may post to another
  url = { for name, slug in local.slug : name => "https://${slug}-${data.google_project.this.number}.${var.region}.run.app" }

  # how long an invocation may last: a drain pulls for a bit more than the minute until the next one has begun
  timeout = {
    for name, each in local.functions :
    name => each.trigger.kind == "stream" ? each.timeout_seconds + floor(each.trigger.window_ms / 1000) + 90 : (
      each.trigger.kind == "schedule" ? each.timeout_seconds + 30 : each.timeout_seconds
    )
  }

  environment = {
    for name, each in local.functions : name => merge(
      {
        GRANDSTAND_FUNCTION  = name
        GRANDSTAND_NAME      = var.name
        GOOGLE_CLOUD_PROJECT = var.project
        GRANDSTAND_REGION    = var.region
        GRANDSTAND_BUCKET    = google_storage_bucket.suite.name
        GRANDSTAND_INVOKER   = google_service_account.invoker.email
      },
      { for queue, worker in local.workers : "GRANDSTAND_QUEUE_URL_${upper(replace(queue, "-", "_"))}" => "${local.url[worker]}/task" },
      var.smtp_url == "" ? {} : { GRANDSTAND_SMTP_URL = var.smtp_url, GRANDSTAND_MAIL_FROM = var.mail_from },
      var.settings,
    )
  }
}

resource "google_cloudfunctions2_function" "suite" {
  for_each = local.functions

  name         = local.slug[each.key]
  location     = var.region
  description  = "Grandstand: ${each.key}"
  labels       = local.labels
  kms_key_name = null

  build_config {
    runtime         = local.packaged[each.key].runtime
    entry_point     = reverse(split(".", local.packaged[each.key].handler))[0] # within main.py, which the build wants
    service_account = google_service_account.builder.id

    # what the build itself compiles then holds for the image's times too
    environment_variables = { SOURCE_DATE_EPOCH = "315532800" }

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.source[each.key].name
      }
    }
  }

  service_config {
    available_memory                 = "${each.value.memory_mb}Mi"
    available_cpu                    = each.value.memory_mb >= 2048 ? "2" : "1"
    timeout_seconds                  = local.timeout[each.key]
    max_instance_request_concurrency = each.value.trigger.kind == "http" ? 40 : 1
    min_instance_count               = lookup(var.min_instances, each.key, 0)
    max_instance_count               = each.value.trigger.kind == "http" ? var.max_instances : 2 * lookup(var.drains, each.key, 1) + 2
    ingress_settings                 = each.value.trigger.kind == "http" ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY"
    service_account_email            = google_service_account.function[each.key].email
    environment_variables            = local.environment[each.key]
    all_traffic_on_latest_revision   = true
  }

  depends_on = [
    google_project_service.used,
    google_project_iam_member.builder,
    google_project_iam_member.builder_reads,
    google_storage_bucket_iam_member.builder,
  ]
}
