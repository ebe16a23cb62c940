output "url" {
  description = "The live page, and below it the API."
  value       = "https://${azurerm_cdn_frontdoor_endpoint.suite.host_name}/"
}

output "storage_account" {
  description = "Tables, objects, history and queues."
  value       = azurerm_storage_account.suite.name
}

output "init" {
  description = "What to run next: the secrets that the suite needs are made where they are missing."
  value       = "GRANDSTAND_NAME=${var.name} GRANDSTAND_KEY_VAULT=${azurerm_key_vault.suite.vault_uri} grandstand init --cloud azure"
}
