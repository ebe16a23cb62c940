resource "azurerm_log_analytics_workspace" "suite" {
  name                = var.name
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  sku                 = "PerGB2018"
  retention_in_days   = 30
  tags                = local.tags
}

resource "azurerm_application_insights" "suite" {
  name                          = var.name
  location                      = azurerm_resource_group.suite.location
  resource_group_name           = azurerm_resource_group.suite.name
  workspace_id                  = azurerm_log_analytics_workspace.suite.id
  application_type              = "web"
  local_authentication_disabled = true
  tags                          = local.tags
}

resource "azurerm_monitor_diagnostic_setting" "stores" {
  for_each = {
    blobs  = "${azurerm_storage_account.suite.id}/blobServices/default"
    queues = "${azurerm_storage_account.suite.id}/queueServices/default"
    tables = "${azurerm_storage_account.suite.id}/tableServices/default"
    vault  = azurerm_key_vault.suite.id
  }

  name                       = "to-workspace"
  target_resource_id         = each.value
  log_analytics_workspace_id = azurerm_log_analytics_workspace.suite.id

  enabled_log {
    category_group = "audit"
  }
}

resource "azurerm_monitor_action_group" "suite" {
  name                = var.name
  resource_group_name = azurerm_resource_group.suite.name
  short_name          = var.name
  tags                = local.tags

  dynamic "email_receiver" {
    for_each = toset(var.alert_emails)
    content {
      name          = email_receiver.key
      email_address = email_receiver.key
    }
  }
}

locals {
  alerts = merge(
    {
      "streams-throttled" = {
        title     = "Event Hubs refuses records: raise throughput_units"
        scope     = azurerm_eventhub_namespace.suite.id
        namespace = "Microsoft.EventHub/namespaces"
        metric    = "ThrottledRequests"
        threshold = 0
      }
      "streams-failing" = {
        title     = "Event Hubs answers with errors"
        scope     = azurerm_eventhub_namespace.suite.id
        namespace = "Microsoft.EventHub/namespaces"
        metric    = "ServerErrors"
        threshold = 0
      }
    },
    {
      for name, _ in local.http : "errors-${replace(name, "_", "-")}" => {
        title     = "${name} answers with errors"
        scope     = azurerm_function_app_flex_consumption.suite[name].id
        namespace = "Microsoft.Web/sites"
        metric    = "Http5xx"
        threshold = 10
      }
    },
  )
}

resource "azurerm_monitor_metric_alert" "suite" {
  for_each = local.alerts

  name                = "${var.name}-${each.key}"
  resource_group_name = azurerm_resource_group.suite.name
  scopes              = [each.value.scope]
  description         = "${each.value.title}. See the health view of the live page, and docs/deploy-azure.md for what to do."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = each.value.threshold
  }

  action {
    action_group_id = azurerm_monitor_action_group.suite.id
  }
}

# Failures of what no metric counts, and of what waits: from the apps' own logs.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "suite" {
  for_each = {
    failures = {
      title = "A function fails"
      query = "requests | where success == false | summarize failures = count() by cloud_RoleName"
    }
    dead-letters = {
      title = "A record or a message went to the dead letters"
      query = "traces | where message has 'went to the dead letters' | summarize letters = count() by cloud_RoleName"
    }
    parked = {
      title = "Records are parked"
      query = "traces | where message has 'records are parked' | summarize batches = count() by cloud_RoleName"
    }
  }

  name                 = "${var.name}-${each.key}"
  location             = azurerm_resource_group.suite.location
  resource_group_name  = azurerm_resource_group.suite.name
  scopes               = [azurerm_application_insights.suite.id]
  description          = "${each.value.title}. See the health view of the live page, and docs/deploy-azure.md for what to do."
  severity             = 2
  evaluation_frequency = "PT5M"
  window_duration      = "PT5M"
  tags                 = local.tags

  criteria {
    query                   = each.value.query
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = [azurerm_monitor_action_group.suite.id]
  }
}
