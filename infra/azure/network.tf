# The apps reach the stores through a subnet with service endpoints, which cost nothing; the stores let nobody else in.
resource "azurerm_virtual_network" "suite" {
  name                = var.name
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  address_space       = ["10.77.0.0/16"]
  tags                = local.tags
}

resource "azurerm_network_security_group" "apps" {
  name                = "${var.name}-apps"
  location            = azurerm_resource_group.suite.location
  resource_group_name = azurerm_resource_group.suite.name
  tags                = local.tags

  security_rule {
    name                       = "nothing-comes-in-from-outside"
    priority                   = 4000
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "Internet"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet" "apps" {
  name                 = "apps"
  resource_group_name  = azurerm_resource_group.suite.name
  virtual_network_name = azurerm_virtual_network.suite.name
  address_prefixes     = ["10.77.0.0/20"]
  service_endpoints    = ["Microsoft.EventHub", "Microsoft.KeyVault", "Microsoft.Storage"]

  delegation {
    name = "flex"

    service_delegation {
      name    = "Microsoft.App/environments"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet_network_security_group_association" "apps" {
  subnet_id                 = azurerm_subnet.apps.id
  network_security_group_id = azurerm_network_security_group.apps.id
}
