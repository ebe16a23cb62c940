# One key of ours for what lies and what travels; the services that use it are named, nobody else is.
resource "google_kms_key_ring" "suite" {
  name     = var.name
  location = var.region

  depends_on = [google_project_service.used]
}

resource "google_kms_crypto_key" "suite" {
  name            = "data"
  key_ring        = google_kms_key_ring.suite.id
  rotation_period = "7776000s"
  labels          = local.labels

  lifecycle {
    prevent_destroy = true
  }
}

# Asking for Cloud Storage's agent makes it; the others are made by `gcloud beta services identity create`.
data "google_storage_project_service_account" "this" {
  depends_on = [google_project_service.used]
}

locals {
  # the service agents that encrypt for us
  agents = {
    storage   = data.google_storage_project_service_account.this.email_address
    pubsub    = "service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    firestore = "service-${data.google_project.this.number}@gcp-sa-firestore.iam.gserviceaccount.com"
    secrets   = "service-${data.google_project.this.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
  }
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = local.agents

  crypto_key_id = google_kms_crypto_key.suite.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}
