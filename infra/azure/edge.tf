# One address: Front Door before the functions that speak HTTP and the live page.
resource "azurerm_cdn_frontdoor_profile" "suite" {
  name                     = var.name
  resource_group_name      = azurerm_resource_group.suite.name
  sku_name                 = "Standard_AzureFrontDoor"
  response_timeout_seconds = 60
  tags                     = local.tags
}

resource "azurerm_cdn_frontdoor_endpoint" "suite" {
  name                     = var.name
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
  tags                     = local.tags
}

# A name of one's own, beside the endpoint's; its certificate is Front Door's.
resource "azurerm_cdn_frontdoor_custom_domain" "suite" {
  count = var.domain == null ? 0 : 1

  name                     = replace(var.domain, ".", "-")
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
  host_name                = var.domain

  tls {
    certificate_type = "ManagedCertificate"
  }
}

resource "azurerm_cdn_frontdoor_custom_domain_association" "suite" {
  count = var.domain == null ? 0 : 1

  cdn_frontdoor_custom_domain_id = azurerm_cdn_frontdoor_custom_domain.suite[0].id
  cdn_frontdoor_route_ids        = [azurerm_cdn_frontdoor_route.functions.id, azurerm_cdn_frontdoor_route.page.id]
}

resource "azurerm_cdn_frontdoor_firewall_policy" "suite" {
  #checkov:skip=CKV_AZURE_133:Managed rules need the premium profile, at ten times the price; bodies are validated by the suite itself.
  name                = "${var.name}waf"
  resource_group_name = azurerm_resource_group.suite.name
  sku_name            = azurerm_cdn_frontdoor_profile.suite.sku_name
  mode                = "Prevention"
  tags                = local.tags

  custom_rule {
    name                           = "floods"
    type                           = "RateLimitRule"
    action                         = "Block"
    priority                       = 1
    rate_limit_duration_in_minutes = 1
    rate_limit_threshold           = 6000 # of everybody behind one address, a campus or a carrier

    match_condition {
      match_variable     = "RequestUri"
      operator           = "Contains"
      match_values       = ["/v1/"]
      negation_condition = false
    }
  }
}

resource "azurerm_cdn_frontdoor_security_policy" "suite" {
  name                     = "floods"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id

  security_policies {
    firewall {
      cdn_frontdoor_firewall_policy_id = azurerm_cdn_frontdoor_firewall_policy.suite.id

      association {
        patterns_to_match = ["/*"]

        dynamic "domain" {
          for_each = concat([azurerm_cdn_frontdoor_endpoint.suite.id], azurerm_cdn_frontdoor_custom_domain.suite[*].id)
          content {
            cdn_frontdoor_domain_id = domain.value
          }
        }
      }
    }
  }
}

resource "azurerm_cdn_frontdoor_origin_group" "function" {
  for_each = local.http

  name                     = replace(each.key, "_", "-")
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
  session_affinity_enabled = false

  load_balancing {}
}

resource "azurerm_cdn_frontdoor_origin" "function" {
  for_each = local.http

  name                           = replace(each.key, "_", "-")
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.function[each.key].id
  host_name                      = azurerm_function_app_flex_consumption.suite[each.key].default_hostname
  origin_host_header             = azurerm_function_app_flex_consumption.suite[each.key].default_hostname
  certificate_name_check_enabled = true
  enabled                        = true
}

locals {
  # Routes take patterns with a star at their end alone, so rules tell the functions apart, by expressions.
  # Within a function its paths are alternatives; a function whose paths say more comes before one whose say less.
  patterns = {
    for name, each in local.http : name => distinct([
      for route in each.trigger.routes :
      "^${replace(replace(trimprefix(route.path, "/"), ".", "\\."), "/\\{[a-z_]+(:path)?\\}/", "[^/]+")}$"
    ])
  }
  rules = merge([
    for name, patterns in local.patterns : {
      for pattern in patterns : format("%04d|%s", 9999 - length(replace(pattern, "[^/]+", "")), pattern) => { function = name, pattern = pattern }
    }
  ]...)
  cacheable = toset(flatten([
    for name, each in local.http : [
      for route in each.trigger.routes :
      "^${replace(replace(trimprefix(route.path, "/"), ".", "\\."), "/\\{[a-z_]+(:path)?\\}/", "[^/]+")}$" if route.cacheable
    ]
  ]))
}

resource "azurerm_cdn_frontdoor_rule_set" "functions" {
  name                     = "functions"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.suite.id
}

resource "azurerm_cdn_frontdoor_rule" "path" {
  for_each = { for index, key in sort(keys(local.rules)) : index + 1 => local.rules[key] }

  name                      = "path${each.key}"
  cdn_frontdoor_rule_set_id = azurerm_cdn_frontdoor_rule_set.functions.id
  order                     = each.key
  behavior_on_match         = "Stop"

  conditions {
    url_path_condition {
      operator     = "RegEx"
      match_values = [each.value.pattern]
    }
  }

  actions {
    # what is public says so, and for how long; the query holds the key, so it is part of what is kept
    route_configuration_override_action {
      cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.function[each.value.function].id
      forwarding_protocol           = "HttpsOnly"
      cache_behavior                = contains(local.cacheable, each.value.pattern) ? "HonorOrigin" : "Disabled"
      query_string_caching_behavior = contains(local.cacheable, each.value.pattern) ? "UseQueryString" : null
      compression_enabled           = contains(local.cacheable, each.value.pattern) ? true : null
    }
  }

  depends_on = [azurerm_cdn_frontdoor_origin.function]
}

resource "azurerm_cdn_frontdoor_route" "functions" {
  name                          = "functions"
  cdn_frontdoor_endpoint_id     = azurerm_cdn_frontdoor_endpoint.suite.id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.page.id
  cdn_frontdoor_origin_ids      = [azurerm_cdn_frontdoor_origin.page.id]
  cdn_frontdoor_rule_set_ids    = [azurerm_cdn_frontdoor_rule_set.functions.id]
  patterns_to_match             = ["/v1/*"]
  supported_protocols           = ["Http", "Https"]
  https_redirect_enabled        = true
  forwarding_protocol           = "HttpsOnly"

  cdn_frontdoor_custom_domain_ids = azurerm_cdn_frontdoor_custom_domain.suite[*].id

  depends_on = [azurerm_cdn_frontdoor_rule.path]
}
