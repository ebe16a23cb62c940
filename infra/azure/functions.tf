# A Flex Consumption plan holds one app, and costs nothing while that rests.
resource "azurerm_service_plan" "function" {
  #checkov:skip=CKV_AZURE_212:Flex Consumption starts and stops instances by itself.
  #checkov:skip=CKV_AZURE_225:Flex Consumption spreads over zones where the region offers it; the plan's flag is for paid instances.
  #checkov:skip=CKV_AZURE_211:Flex Consumption is the plan for production that scales to nothing.
  for_each = local.functions

  name                = local.slug[each.key]
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  os_type             = "Linux"
  sku_name            = "FC1"
  tags                = local.tags
}

locals {
  identity = { for name, one in azurerm_user_assigned_identity.function : name => one.client_id }

  environment = {
    for name, each in local.functions : name => merge(
      {
        GRANDSTAND_FUNCTION        = name
        GRANDSTAND_NAME            = var.name
        GRANDSTAND_STORAGE_ACCOUNT = azurerm_storage_account.suite.name
        GRANDSTAND_EVENT_HUBS      = "${azurerm_eventhub_namespace.suite.name}.servicebus.windows.net"
        GRANDSTAND_KEY_VAULT       = azurerm_key_vault.suite.vault_uri
        AZURE_CLIENT_ID            = local.identity[name]

        AzureWebJobsStorage              = "" # or azurerm writes a connection string without a key there
        AzureWebJobsStorage__accountName = azurerm_storage_account.host.name
        AzureWebJobsStorage__credential  = "managedidentity"
        AzureWebJobsStorage__clientId    = local.identity[name]

        APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${local.identity[name]};Authorization=AAD"
      },
      each.trigger.kind != "stream" ? {} : {
        GRANDSTAND_EVENT_HUBS_CONNECTION__fullyQualifiedNamespace = "${azurerm_eventhub_namespace.suite.name}.servicebus.windows.net"
        GRANDSTAND_EVENT_HUBS_CONNECTION__credential              = "managedidentity"
        GRANDSTAND_EVENT_HUBS_CONNECTION__clientId                = local.identity[name]
      },
      each.trigger.kind != "queue" ? {} : {
        GRANDSTAND_STORAGE_CONNECTION__queueServiceUri = azurerm_storage_account.suite.primary_queue_endpoint
        GRANDSTAND_STORAGE_CONNECTION__credential      = "managedidentity"
        GRANDSTAND_STORAGE_CONNECTION__clientId        = local.identity[name]
      },
      var.mail == null ? {} : { GRANDSTAND_MAIL_ENDPOINT = var.mail.endpoint, GRANDSTAND_MAIL_FROM = var.mail.from },
      var.settings,
    )
  }
}

# Packages are uploaded by `az functionapp deployment`, as docs/deploy-azure.md says: azurerm posts `zip_deploy_file` to
# an address that Flex Consumption has not, and would not notice a package that changed.
resource "azurerm_function_app_flex_consumption" "suite" {
  for_each = local.functions

  name                          = local.slug[each.key]
  location                      = azurerm_resource_group.suite.location
  resource_group_name           = azurerm_resource_group.suite.name
  service_plan_id               = azurerm_service_plan.function[each.key].id
  virtual_network_subnet_id     = azurerm_subnet.apps.id
  https_only                    = true
  public_network_access_enabled = each.value.trigger.kind == "http" || length(var.deployers) > 0 # see site_config
  app_settings                  = local.environment[each.key]
  tags                          = local.tags

  runtime_name           = "python"
  runtime_version        = regex("\\d+\\.\\d+", local.packaged[each.key].runtime)
  instance_memory_in_mb  = each.value.memory_mb <= 512 ? 512 : 2048
  maximum_instance_count = each.value.trigger.kind == "http" ? 400 : 100
  http_concurrency       = each.value.trigger.kind == "http" ? 40 : null

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.host.primary_blob_endpoint}${azurerm_storage_container.package[each.key].name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.function[each.key].id

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.function[each.key].id]
  }

  dynamic "always_ready" {
    for_each = lookup(var.always_ready, each.key, 0) > 0 ? [1] : []
    content {
      name           = each.value.trigger.kind == "http" ? "http" : "function:${each.key}"
      instance_count = var.always_ready[each.key]
    }
  }

  site_config {
    http2_enabled                          = true
    minimum_tls_version                    = "1.2"
    vnet_route_all_enabled                 = false # mail and JWKS leave by the public way
    application_insights_connection_string = azurerm_application_insights.suite.connection_string
    ip_restriction_default_action          = "Deny" # but for Front Door; what deployers reach is the upload of packages
    scm_ip_restriction_default_action      = "Deny"
    scm_use_main_ip_restriction            = false

    dynamic "ip_restriction" {
      for_each = each.value.trigger.kind == "http" ? [1] : []
      content {
        name        = "front-door"
        priority    = 100
        action      = "Allow"
        service_tag = "AzureFrontDoor.Backend"

        headers {
          x_azure_fdid = [azurerm_cdn_frontdoor_profile.suite.resource_guid]
        }
      }
    }

    dynamic "scm_ip_restriction" {
      for_each = { for index, address in var.deployers : index => address }
      content {
        name       = "deployer-${scm_ip_restriction.key}"
        priority   = 100 + scm_ip_restriction.key
        action     = "Allow"
        ip_address = "${scm_ip_restriction.value}/32"
      }
    }
  }

  depends_on = [azurerm_role_assignment.host]
}
