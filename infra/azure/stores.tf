# Tables, objects, history and queues, in an account that no key opens.
resource "azurerm_storage_account" "suite" {
  #checkov:skip=CKV2_AZURE_33:Service endpoints let the apps' subnet in and nobody else, at no cost; a private endpoint is paid for by the hour.
  #checkov:skip=CKV_AZURE_59:Its firewall lets in the apps' subnet and the deployers' addresses, and nobody else.
  #checkov:skip=CKV_AZURE_33:Classic queue logging writes into the account itself; the diagnostic setting beside it logs to the workspace.
  #checkov:skip=CKV2_AZURE_21:Classic blob logging writes into the account itself; the diagnostic setting beside it logs to the workspace.
  #checkov:skip=CKV_AZURE_206:It lies in three zones of its region; set `replication` to GZRS where a second region is worth its price.
  name                              = "${var.name}data"
  location                          = azurerm_resource_group.suite.location
  resource_group_name               = azurerm_resource_group.suite.name
  account_tier                      = "Standard"
  account_replication_type          = var.replication
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  local_user_enabled                = false
  infrastructure_encryption_enabled = true
  table_encryption_key_type         = "Account"
  queue_encryption_key_type         = "Account"
  tags                              = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.storage.id]
  }

  customer_managed_key {
    key_vault_key_id          = azurerm_key_vault_key.suite.versionless_id
    user_assigned_identity_id = azurerm_user_assigned_identity.storage.id
  }

  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    ip_rules                   = var.deployers
    virtual_network_subnet_ids = [azurerm_subnet.apps.id]
  }

  blob_properties {
    delete_retention_policy {
      days = 7
    }
    container_delete_retention_policy {
      days = 7
    }
  }

  sas_policy {
    expiration_period = "00.01:00:00"
  }

  depends_on = [azurerm_role_assignment.storage]
}

# Who deploys makes the tables, which are no resources of the management plane.
resource "azurerm_role_assignment" "makes_tables" {
  scope                = azurerm_storage_account.suite.id
  role_definition_name = "Storage Table Data Contributor"
  principal_id         = data.azurerm_client_config.deployer.object_id
}

resource "azurerm_storage_table" "suite" {
  #checkov:skip=CKV2_AZURE_20:The account's diagnostic setting logs every read to the workspace.
  for_each = toset(local.manifest.tables)

  name                 = "${var.name}${replace(each.key, "-", "")}"
  storage_account_name = azurerm_storage_account.suite.name

  depends_on = [azurerm_role_assignment.makes_tables]
}

resource "azurerm_storage_container" "objects" {
  #checkov:skip=CKV2_AZURE_21:The account's diagnostic setting logs every read to the workspace.
  for_each = setunion(local.objects, ["history"])

  name                  = "${var.name}-${each.key}"
  storage_account_id    = azurerm_storage_account.suite.id
  container_access_type = "private"
}

resource "azurerm_storage_queue" "suite" {
  for_each = toset(local.manifest.queues)

  name               = "${var.name}-${each.key}"
  storage_account_id = azurerm_storage_account.suite.id
}

resource "azurerm_storage_management_policy" "suite" {
  storage_account_id = azurerm_storage_account.suite.id

  rule {
    name    = "forgotten-dead-letters" # they are kept for 14 days, and swept by the suite itself
    enabled = true

    filters {
      prefix_match = ["${var.name}-dead-letters/"]
      blob_types   = ["blockBlob"]
    }

    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = 45
      }
    }
  }
}

# What the Functions host itself keeps: packages, checkpoints, leases of timers.
resource "azurerm_storage_account" "host" {
  #checkov:skip=CKV2_AZURE_33:Service endpoints let the apps' subnet in and nobody else, at no cost; a private endpoint is paid for by the hour.
  #checkov:skip=CKV_AZURE_59:Its firewall lets in the apps' subnet and the deployers' addresses, and nobody else.
  #checkov:skip=CKV_AZURE_33:It holds no queue of ours.
  #checkov:skip=CKV2_AZURE_21:It holds packages and checkpoints, nothing of viewers.
  #checkov:skip=CKV_AZURE_206:Packages can be uploaded again, and a lost checkpoint delivers records again, which are counted once.
  name                             = "${var.name}host"
  location                         = azurerm_resource_group.suite.location
  resource_group_name              = azurerm_resource_group.suite.name
  account_tier                     = "Standard"
  account_replication_type         = "LRS"
  min_tls_version                  = "TLS1_2"
  https_traffic_only_enabled       = true
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  local_user_enabled               = false
  tags                             = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.storage.id]
  }

  customer_managed_key {
    key_vault_key_id          = azurerm_key_vault_key.suite.versionless_id
    user_assigned_identity_id = azurerm_user_assigned_identity.storage.id
  }

  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    ip_rules                   = var.deployers
    virtual_network_subnet_ids = [azurerm_subnet.apps.id]
  }

  blob_properties {
    delete_retention_policy {
      days = 7
    }
  }

  sas_policy {
    expiration_period = "00.01:00:00"
  }

  depends_on = [azurerm_role_assignment.storage]
}

resource "azurerm_storage_container" "package" {
  #checkov:skip=CKV2_AZURE_21:It holds the app's code, nothing of viewers.
  for_each = local.functions

  name                  = replace(each.key, "_", "-")
  storage_account_id    = azurerm_storage_account.host.id
  container_access_type = "private"
}
