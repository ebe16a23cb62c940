# One identity for each function, and what it may do: no more than the manifest says of it.
resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = substr(local.slug[each.key], 0, 30)
  display_name = "Grandstand: ${each.key}"
}

# Who starts functions: Cloud Scheduler, Cloud Tasks and Pub/Sub's pushes.
resource "google_service_account" "invoker" {
  account_id   = "${var.name}-invoker"
  display_name = "Grandstand: starts functions"
}

resource "google_service_account" "builder" {
  account_id   = "${var.name}-builder"
  display_name = "Grandstand: builds functions"
}

resource "google_project_iam_member" "builder" {
  for_each = toset(["roles/logging.logWriter", "roles/artifactregistry.writer"])

  project = var.project
  role    = each.key
  member  = "serviceAccount:${google_service_account.builder.email}"
}

# Cloud Functions copies each source to a bucket of its own, from which it is built.
resource "google_project_iam_member" "builder_reads" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = "serviceAccount:${google_service_account.builder.email}"

  condition {
    title      = "only-sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.builder.email}"
}

locals {
  member = { for name, one in google_service_account.function : name => "serviceAccount:${one.email}" }

  tabled   = toset([for one in values(local.uses) : one.function if startswith(one.resource, "table:")])
  secrets  = { for key, one in local.reads : key => one if startswith(one.resource, "secret:") }
  appends  = { for key, one in local.writes : key => one if startswith(one.resource, "stream:") }
  enqueues = { for key, one in local.writes : key => one if startswith(one.resource, "queue:") }

  # where in the bucket a function reads, and where it writes
  folder = {
    for resource in distinct([for one in values(local.uses) : one.resource]) :
    resource => resource == "history" ? "history/" : "objects/${trimprefix(resource, "objects:")}/"
    if resource == "history" || startswith(resource, "objects:")
  }
  object_writes = { for key, one in local.writes : key => one if contains(keys(local.folder), one.resource) }
  object_reads = {
    for key, one in local.reads : key => one
    if contains(keys(local.folder), one.resource) && !contains(keys(local.object_writes), key)
  }
  listing = toset([for one in values(merge(local.object_reads, local.object_writes)) : one.function])
}

# Firestore knows no permissions of single collections: a function that uses any table may use the database.
resource "google_project_iam_member" "tables" {
  for_each = local.tabled

  project = var.project
  role    = "roles/datastore.user"
  member  = local.member[each.key]

  condition {
    title      = "only-this-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.suite.name}\""
  }
}

resource "google_storage_bucket_iam_member" "writes" {
  for_each = local.object_writes

  bucket = google_storage_bucket.suite.name
  role   = "roles/storage.objectUser"
  member = local.member[each.value.function]

  condition {
    title      = "only-${replace(each.value.resource, ":", "-")}"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.suite.name}/objects/${local.folder[each.value.resource]}\")"
  }
}

resource "google_storage_bucket_iam_member" "reads" {
  for_each = local.object_reads

  bucket = google_storage_bucket.suite.name
  role   = "roles/storage.objectViewer"
  member = local.member[each.value.function]

  condition {
    title      = "only-${replace(each.value.resource, ":", "-")}"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.suite.name}/objects/${local.folder[each.value.resource]}\")"
  }
}

# A listing is asked of the bucket, so no condition on names can hold: it tells names and sizes, no content.
resource "google_project_iam_custom_role" "lists" {
  role_id     = replace("${var.name}_lists_objects", "-", "_")
  title       = "Lists the objects of a bucket"
  permissions = ["storage.objects.list"]
}

resource "google_storage_bucket_iam_member" "lists" {
  for_each = local.listing

  bucket = google_storage_bucket.suite.name
  role   = google_project_iam_custom_role.lists.id
  member = local.member[each.key]
}

resource "google_pubsub_topic_iam_member" "appends" {
  for_each = local.appends

  topic  = google_pubsub_topic.stream[trimprefix(each.value.resource, "stream:")].id
  role   = "roles/pubsub.publisher"
  member = local.member[each.value.function]
}

resource "google_pubsub_subscription_iam_member" "drains" {
  for_each = local.streaming

  subscription = google_pubsub_subscription.stream[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.member[each.key]
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = local.secrets

  secret_id = google_secret_manager_secret.suite[trimprefix(each.value.resource, "secret:")].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.member[each.value.function]
}

# Who mails reads the mail server's password.
resource "google_secret_manager_secret_iam_member" "mails" {
  for_each = var.smtp_url == "" ? {} : { for key, one in local.writes : key => one if one.resource == "mail" }

  secret_id = google_secret_manager_secret.suite["smtp-password"].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.member[each.value.function]
}

resource "google_cloud_tasks_queue_iam_member" "enqueues" {
  for_each = local.enqueues

  name     = google_cloud_tasks_queue.suite[trimprefix(each.value.resource, "queue:")].name
  location = var.region
  role     = "roles/cloudtasks.enqueuer"
  member   = local.member[each.value.function]
}

# Who enqueues a task says by whom it is posted.
resource "google_service_account_iam_member" "acts_as_invoker" {
  for_each = local.enqueues

  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountUser"
  member             = local.member[each.value.function]
}

# Pub/Sub signs its pushes as the invoker.
resource "google_service_account_iam_member" "pushes_as_invoker" {
  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:${local.agents.pubsub}"

  depends_on = [google_project_service.used]
}

resource "google_cloud_run_service_iam_member" "invoked" {
  for_each = { for name, each in local.functions : name => each if each.trigger.kind != "http" }

  location = var.region
  service  = google_cloudfunctions2_function.suite[each.key].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.invoker.email}"
}

# HTTP functions check the suite's own keys, and are reached through the load balancer alone (their ingress).
resource "google_cloud_run_service_iam_member" "public" {
  #checkov:skip=CKV_GCP_102:Players have no Google identity. The function checks the suite's keys, and its ingress lets the load balancer in and nobody else.
  for_each = local.http

  location = var.region
  service  = google_cloudfunctions2_function.suite[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
