# The live page: files for everybody, in an account that holds nothing else.
resource "azurerm_storage_account" "page" {
  #checkov:skip=CKV_AZURE_59:The live page is for everybody; what it shows needs a key.
  #checkov:skip=CKV_AZURE_190:The live page is for everybody; what it shows needs a key.
  #checkov:skip=CKV2_AZURE_33:The live page is for everybody; what it shows needs a key.
  #checkov:skip=CKV2_AZURE_47:The live page is for everybody; what it shows needs a key.
  #checkov:skip=CKV2_AZURE_1:Public files gain nothing from a key of ours.
  #checkov:skip=CKV_AZURE_33:It holds no queue, so there is nothing to log of one.
  #checkov:skip=CKV_AZURE_206:The files can be built again.
  #checkov:skip=CKV2_AZURE_21:Front Door logs who asks for the page.
  name                             = "${var.name}page"
  location                         = azurerm_resource_group.suite.location
  resource_group_name              = azurerm_resource_group.suite.name
  account_tier                     = "Standard"
  account_replication_type         = "LRS"
  min_tls_version                  = "TLS1_2"
  https_traffic_only_enabled       = true
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  cross_tenant_replication_enabled = false
  local_user_enabled               = false
  tags                             = local.tags

  blob_properties {
    delete_retention_policy {
      days = 7
    }
  }

  sas_policy {
    expiration_period = "00.01:00:00"
  }
}

resource "azurerm_storage_account_static_website" "page" {
  storage_account_id = azurerm_storage_account.page.id
  index_document     = "index.html"
}

resource "azurerm_role_assignment" "uploads_page" {
  scope                = azurerm_storage_account.page.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = data.azurerm_client_config.deployer.object_id
}

locals {
  media_types = {
    html = "text/html; charset=utf-8"
    js   = "text/javascript; charset=utf-8"
    mjs  = "text/javascript; charset=utf-8"
    css  = "text/css; charset=utf-8"
    json = "application/json"
    svg  = "image/svg+xml"
  }
  headers      = jsondecode(file("${local.web}/security-headers.json"))
  page_headers = local.headers["/*"]
  # scripts for other sites lie beside the page, and have headers of their own
  own_headers = { for address, own in local.headers : address => own if address != "/*" }
}

resource "azurerm_storage_blob" "page" {
  for_each = fileset("${local.web}/dist", "**")

  name                   = each.key
  storage_account_name   = azurerm_storage_account.page.name
  storage_container_name = "$web"
  type                   = "Block"
  source                 = "${local.web}/dist/${each.key}"
  content_md5            = filemd5("${local.web}/dist/${each.key}")
  content_type           = lookup(local.media_types, reverse(split(".", each.key))[0], "application/octet-stream")
  cache_control          = startswith(each.key, "assets/") ? "public, max-age=31536000, immutable" : "public, max-age=60"

  depends_on = [azurerm_storage_account_static_website.page, azurerm_role_assignment.uploads_page]
}

# The API's whole document, where `python -m infra.openapi` has put it beside the packages.
resource "azurerm_storage_blob" "openapi" {
  count = fileexists("${var.packages}/openapi.json") ? 1 : 0

  name                   = "openapi.json"
  storage_account_name   = azurerm_storage_account.page.name
  storage_container_name = "$web"
  type                   = "Block"
  source                 = "${var.packages}/openapi.json"
  content_md5            = filemd5("${var.packages}/openapi.json")
  content_type           = "application/json"
  cache_control          = "public, max-age=60"

  depends_on = [azurerm_storage_account_static_website.page, azurerm_role_assignment.uploads_page]
}

resource "azurerm_cdn_frontdoor_origin_group" "page" {
  name                     = "page"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
  session_affinity_enabled = false

  load_balancing {}
}

resource "azurerm_cdn_frontdoor_origin" "page" {
  name                           = "page"
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.page.id
  host_name                      = azurerm_storage_account.page.primary_web_host
  origin_host_header             = azurerm_storage_account.page.primary_web_host
  certificate_name_check_enabled = true
  enabled                        = true
}

resource "azurerm_cdn_frontdoor_rule_set" "page" {
  name                     = "page"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
}

# A rule takes five actions.
resource "azurerm_cdn_frontdoor_rule" "page" {
  for_each = { for index, names in chunklist(keys(local.page_headers), 5) : index => names }

  name                      = "headers${each.key}"
  cdn_frontdoor_rule_set_id = azurerm_cdn_frontdoor_rule_set.page.id
  order                     = each.key

  actions {
    dynamic "response_header_action" {
      for_each = toset(each.value)
      content {
        header_action = "Overwrite"
        header_name   = response_header_action.key
        value         = local.page_headers[response_header_action.key]
      }
    }
  }

  depends_on = [azurerm_cdn_frontdoor_origin.page]
}

resource "azurerm_cdn_frontdoor_rule" "own" {
  for_each = { for index, address in sort(keys(local.own_headers)) : 100 + index => address }

  name                      = "own${each.key}"
  cdn_frontdoor_rule_set_id = azurerm_cdn_frontdoor_rule_set.page.id
  order                     = each.key

  conditions {
    url_path_condition {
      operator     = "Equal"
      match_values = [trimprefix(each.value, "/")]
    }
  }

  actions {
    dynamic "response_header_action" {
      for_each = local.own_headers[each.value]
      content {
        header_action = "Overwrite"
        header_name   = response_header_action.key
        value         = response_header_action.value
      }
    }
  }

  depends_on = [azurerm_cdn_frontdoor_origin.page]
}

resource "azurerm_cdn_frontdoor_route" "page" {
  name                          = "page"
  cdn_frontdoor_endpoint_id     = azurerm_cdn_frontdoor_endpoint.suite.id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.page.id
  cdn_frontdoor_origin_ids      = [azurerm_cdn_frontdoor_origin.page.id]
  cdn_frontdoor_rule_set_ids    = [azurerm_cdn_frontdoor_rule_set.page.id]
  patterns_to_match             = ["/*"]
  supported_protocols           = ["Http", "Https"]
  https_redirect_enabled        = true
  forwarding_protocol           = "HttpsOnly"

  cdn_frontdoor_custom_domain_ids = azurerm_cdn_frontdoor_custom_domain.suite[*].id

  cache {
    query_string_caching_behavior = "IgnoreQueryString"
    compression_enabled           = true
    content_types_to_compress     = ["text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"]
  }

  depends_on = [azurerm_cdn_frontdoor_rule.page, azurerm_cdn_frontdoor_rule.own]
}
