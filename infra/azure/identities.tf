# One identity for each function, and what it may do: no more than the manifest says of it.
resource "azurerm_user_assigned_identity" "function" {
  for_each = local.functions

  name                = local.slug[each.key]
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  tags                = local.tags
}

locals {
  principal = { for name, one in azurerm_user_assigned_identity.function : name => one.principal_id }

  kind = { for key, one in local.uses : key => split(":", one.resource)[0] }
  of   = { for key, one in local.uses : key => join(":", slice(split(":", one.resource), 1, length(split(":", one.resource)))) }

  # a write gives reading too, so what is only read is listed apart
  table_writes  = { for key, one in local.writes : key => one.function if local.kind[key] == "table" }
  table_reads   = { for key, one in local.reads : key => one.function if local.kind[key] == "table" && !contains(keys(local.table_writes), key) }
  object_writes = { for key, one in local.writes : key => one.function if contains(["objects", "history"], local.kind[key]) }
  object_reads  = { for key, one in local.reads : key => one.function if contains(["objects", "history"], local.kind[key]) && !contains(keys(local.object_writes), key) }
  appends       = { for key, one in local.writes : key => one.function if local.kind[key] == "stream" }
  enqueues      = { for key, one in local.writes : key => one.function if local.kind[key] == "queue" }
  secrets       = { for key, one in local.reads : key => one.function if local.kind[key] == "secret" }
}

resource "azurerm_role_assignment" "table_writes" {
  for_each = local.table_writes

  scope                = azurerm_storage_table.suite[local.of[each.key]].resource_manager_id
  role_definition_name = "Storage Table Data Contributor"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "table_reads" {
  for_each = local.table_reads

  scope                = azurerm_storage_table.suite[local.of[each.key]].resource_manager_id
  role_definition_name = "Storage Table Data Reader"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "object_writes" {
  for_each = local.object_writes

  scope                = azurerm_storage_container.objects[coalesce(local.of[each.key], "history")].id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "object_reads" {
  for_each = local.object_reads

  scope                = azurerm_storage_container.objects[coalesce(local.of[each.key], "history")].id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "appends" {
  for_each = local.appends

  scope                = azurerm_eventhub.stream[local.of[each.key]].id
  role_definition_name = "Azure Event Hubs Data Sender"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "receives" {
  for_each = local.streaming

  scope                = azurerm_eventhub.stream[each.value.trigger.stream].id # whose partitions the host asks for
  role_definition_name = "Azure Event Hubs Data Receiver"
  principal_id         = local.principal[each.key]
}

resource "azurerm_role_assignment" "enqueues" {
  for_each = local.enqueues

  scope                = "${azurerm_storage_account.suite.id}/queueServices/default/queues/${azurerm_storage_queue.suite[local.of[each.key]].name}"
  role_definition_name = "Storage Queue Data Message Sender"
  principal_id         = local.principal[each.value]
}

resource "azurerm_role_assignment" "works" {
  for_each = { for name, each in local.functions : name => each.trigger.queue if each.trigger.kind == "queue" }

  scope                = "${azurerm_storage_account.suite.id}/queueServices/default/queues/${azurerm_storage_queue.suite[each.value].name}"
  role_definition_name = "Storage Queue Data Contributor" # the host counts what waits, and moves what it gives up
  principal_id         = local.principal[each.key]
}

resource "azurerm_role_assignment" "secrets" {
  for_each = local.secrets

  scope                = "${azurerm_key_vault.suite.id}/secrets/${var.name}-${local.of[each.key]}"
  role_definition_name = "Key Vault Secrets User"
  principal_id         = local.principal[each.value]
}

# The host's own storage: leases and checkpoints.
resource "azurerm_role_assignment" "host" {
  for_each = local.functions

  scope                = azurerm_storage_account.host.id
  role_definition_name = "Storage Blob Data Owner"
  principal_id         = local.principal[each.key]
}

resource "azurerm_role_assignment" "metrics" {
  for_each = local.functions

  scope                = azurerm_application_insights.suite.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = local.principal[each.key]
}

resource "azurerm_role_assignment" "mails" {
  for_each = var.mail == null ? {} : { for key, one in local.writes : key => one.function if one.resource == "mail" }

  scope                = var.mail.id
  role_definition_name = "Communication and Email Service Owner"
  principal_id         = local.principal[each.value]
}
