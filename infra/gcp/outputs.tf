output "address" {
  description = "Point the domain's A record here; the certificate is issued once that is known."
  value       = google_compute_global_address.suite.address
}

output "url" {
  description = "The live page, and below it the API."
  value       = "https://${var.domain}/"
}

output "bucket" {
  description = "Objects and history."
  value       = google_storage_bucket.suite.name
}

output "init" {
  description = "What to run next: the secrets that the suite needs are made where they have no value."
  value       = "GOOGLE_CLOUD_PROJECT=${var.project} GRANDSTAND_NAME=${var.name} grandstand init --cloud gcp"
}
