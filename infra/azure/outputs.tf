output "url" {
  description = "The live page, and below it the API."
  value       = "https://${coalesce(var.domain, azurerm_cdn_frontdoor_endpoint.suite.host_name)}/"
}

output "dns" {
  description = "With a domain of your own: its records, a CNAME to Front Door and the TXT that proves it is yours."
  value = var.domain == null ? {} : {
    (var.domain)             = azurerm_cdn_frontdoor_endpoint.suite.host_name
    "_dnsauth.${var.domain}" = azurerm_cdn_frontdoor_custom_domain.suite[0].validation_token
  }
}

output "storage_account" {
  description = "Tables, objects, history and queues."
  value       = azurerm_storage_account.suite.name
}

output "init" {
  description = "What to run next: the secrets that the suite needs are made where they are missing."
  value       = "GRANDSTAND_NAME=${var.name} GRANDSTAND_KEY_VAULT=${azurerm_key_vault.suite.vault_uri} grandstand init --cloud azure"
}
