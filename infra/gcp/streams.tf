resource "google_pubsub_topic" "stream" {
  for_each = toset(local.manifest.streams)

  name                       = "${var.name}-${each.key}"
  kms_key_name               = google_kms_crypto_key.suite.id
  message_retention_duration = "604800s"
  labels                     = local.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_kms_crypto_key_iam_member.agents]
}

# Where Pub/Sub itself puts what was tried a hundred times; the function's own push subscription brings it to our
# dead letters.
resource "google_pubsub_topic" "dead" {
  for_each = local.streaming

  name         = "${var.name}-${each.value.trigger.stream}-${replace(each.key, "_", "-")}-dead"
  kms_key_name = google_kms_crypto_key.suite.id
  labels       = local.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_subscription" "stream" {
  for_each = local.streaming

  name                         = "${var.name}-${each.value.trigger.stream}-${each.key}"
  topic                        = google_pubsub_topic.stream[each.value.trigger.stream].id
  ack_deadline_seconds         = 60
  message_retention_duration   = "604800s"
  retain_acked_messages        = false
  enable_message_ordering      = false # order is never relied on, and a key may be hot
  enable_exactly_once_delivery = false # marks make each record count once, for less
  labels                       = local.labels

  expiration_policy {
    ttl = "" # never, however long nobody watches
  }

  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = 100
  }
}

resource "google_pubsub_subscription" "dead" {
  for_each = local.streaming

  name                       = "${google_pubsub_topic.dead[each.key].name}-bury"
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"
  labels                     = local.labels

  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.suite[each.key].service_config[0].uri}/bury"

    oidc_token {
      service_account_email = google_service_account.invoker.email
      audience              = google_cloudfunctions2_function.suite[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
}

# Pub/Sub forwards to the dead-letter topic by itself, and takes what it forwarded off the subscription.
resource "google_pubsub_topic_iam_member" "forwards" {
  for_each = local.streaming

  topic  = google_pubsub_topic.dead[each.key].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${local.agents.pubsub}"
}

resource "google_pubsub_subscription_iam_member" "forwards" {
  for_each = local.streaming

  subscription = google_pubsub_subscription.stream[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${local.agents.pubsub}"
}
