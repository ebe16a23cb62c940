# The vault of the suite's secrets and of the key that encrypts what lies in storage.
resource "azurerm_key_vault" "suite" {
  #checkov:skip=CKV2_AZURE_32:Service endpoints let the apps' subnet in and nobody else, at no cost; a private endpoint is paid for by the hour.
  name                          = "${var.name}-vault"
  location                      = azurerm_resource_group.suite.location
  resource_group_name           = azurerm_resource_group.suite.name
  tenant_id                     = data.azurerm_client_config.deployer.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 30
  public_network_access_enabled = true # for the subnet and the deployers, and by the rules below for nobody else
  tags                          = local.tags

  network_acls {
    bypass                     = "AzureServices"
    default_action             = "Deny"
    ip_rules                   = var.deployers
    virtual_network_subnet_ids = [azurerm_subnet.apps.id]
  }
}

# Who deploys makes the key, and with `grandstand init` the secrets.
resource "azurerm_role_assignment" "deployer" {
  for_each = toset(["Key Vault Crypto Officer", "Key Vault Secrets Officer"])

  scope                = azurerm_key_vault.suite.id
  role_definition_name = each.key
  principal_id         = data.azurerm_client_config.deployer.object_id
}

resource "azurerm_key_vault_key" "suite" {
  #checkov:skip=CKV_AZURE_112:A key in a hardware module of one's own needs the premium vault; change sku_name and key_type where the law asks for it.
  #checkov:skip=CKV_AZURE_40:It rotates by itself; a key that expired would close every store at once.
  name         = "storage"
  key_vault_id = azurerm_key_vault.suite.id
  key_type     = "RSA"
  key_size     = 3072
  key_opts     = ["wrapKey", "unwrapKey"]
  tags         = local.tags

  rotation_policy {
    automatic {
      time_after_creation = "P90D"
    }
  }

  depends_on = [azurerm_role_assignment.deployer]
}

resource "azurerm_user_assigned_identity" "storage" {
  name                = "${var.name}-storage"
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  tags                = local.tags
}

resource "azurerm_role_assignment" "storage" {
  scope                = azurerm_key_vault.suite.id
  role_definition_name = "Key Vault Crypto Service Encryption User"
  principal_id         = azurerm_user_assigned_identity.storage.principal_id
}
