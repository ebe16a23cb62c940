resource "azurerm_eventhub_namespace" "suite" {
  #checkov:skip=CKV_AZURE_228:The region decides; the namespace spreads over its zones where it has some.
  name                          = "${var.name}-events"
  location                      = azurerm_resource_group.suite.location
  resource_group_name           = azurerm_resource_group.suite.name
  sku                           = "Standard"
  capacity                      = var.throughput_units.least
  auto_inflate_enabled          = true
  maximum_throughput_units      = var.throughput_units.most
  local_authentication_enabled  = false # no shared access keys: identities alone
  minimum_tls_version           = "1.2"
  public_network_access_enabled = true # for the subnet, and by the rules below for nobody else
  tags                          = local.tags

  identity {
    type = "SystemAssigned"
  }

  network_rulesets {
    default_action                 = "Deny"
    public_network_access_enabled  = true
    trusted_service_access_enabled = true

    virtual_network_rule {
      subnet_id = azurerm_subnet.apps.id
    }
  }
}

resource "azurerm_eventhub" "stream" {
  for_each = toset(local.manifest.streams)

  name            = each.key
  namespace_id    = azurerm_eventhub_namespace.suite.id
  partition_count = var.partitions

  retention_description {
    cleanup_policy          = "Delete"
    retention_time_in_hours = 168
  }
}

resource "azurerm_eventhub_consumer_group" "function" {
  for_each = local.streaming

  name                = each.key
  eventhub_name       = azurerm_eventhub.stream[each.value.trigger.stream].name
  namespace_name      = azurerm_eventhub_namespace.suite.name
  resource_group_name = azurerm_resource_group.suite.name
}
