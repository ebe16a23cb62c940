# Tables: collections of the project's default Firestore database, whose names begin with the suite's.
resource "google_firestore_database" "suite" {
  name                              = "(default)"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"

  cmek_config {
    kms_key_name = google_kms_crypto_key.suite.id
  }

  depends_on = [google_project_service.used, google_kms_crypto_key_iam_member.agents]
}

# Expired items are never returned, whenever this gets to deleting them.
resource "google_firestore_field" "ttl" {
  for_each = toset(local.manifest.tables)

  database   = google_firestore_database.suite.name
  collection = "${var.name}-${each.key}"
  field      = "ttl"

  ttl_config {}
  index_config {}
}

# Nothing is looked up by a value: items are found by their names alone.
resource "google_firestore_field" "unindexed" {
  for_each = { for pair in setproduct(local.manifest.tables, ["value", "nonce"]) : join("/", pair) => pair }

  database   = google_firestore_database.suite.name
  collection = "${var.name}-${each.value[0]}"
  field      = each.value[1]

  index_config {}
}

# Objects and the history.
resource "google_storage_bucket" "suite" {
  name                        = local.bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  encryption {
    default_kms_key_name = google_kms_crypto_key.suite.id
  }

  versioning {
    enabled = true # a deleted object can be had back for a week
  }

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 7
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  lifecycle_rule {
    condition {
      age                   = 45 # dead letters are kept for 14 days, and swept by the suite itself
      matches_prefix        = ["objects/dead-letters/"]
      matches_storage_class = ["STANDARD"]
    }
    action {
      type = "Delete"
    }
  }

  logging {
    log_bucket        = google_storage_bucket.logs.name
    log_object_prefix = "suite"
  }

  depends_on = [google_kms_crypto_key_iam_member.agents]
}

resource "google_storage_bucket" "logs" {
  #checkov:skip=CKV_GCP_62:It holds the access logs of the other buckets; logging its own would never end.
  name                        = "${local.bucket}-logs"
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

  lifecycle_rule {
    condition {
      age = 90
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agents]
}

# Cloud Storage delivers access logs as this group.
resource "google_storage_bucket_iam_member" "delivers_logs" {
  bucket = google_storage_bucket.logs.name
  role   = "roles/storage.objectCreator"
  member = "group:cloud-storage-analytics@google.com"
}

# Secrets without values: `grandstand init --cloud gcp` puts those in, so that no state file ever holds them.
resource "google_secret_manager_secret" "suite" {
  for_each = toset(concat(local.manifest.secrets, var.smtp_url == "" ? [] : ["smtp-password"]))

  secret_id = "${var.name}-${each.key}"
  labels    = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region

        customer_managed_encryption {
          kms_key_name = google_kms_crypto_key.suite.id
        }
      }
    }
  }

  depends_on = [google_project_service.used, google_kms_crypto_key_iam_member.agents]
}
