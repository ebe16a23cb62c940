# What the module makes of a manifest with a function of every kind, without any account.
mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "00000000-0000-0000-0000-000000000001"
      object_id = "00000000-0000-0000-0000-000000000002"
    }
  }
}

variables {
  subscription = "00000000-0000-0000-0000-000000000000"
  location     = "westeurope"
  name         = "acmelive"
  packages     = "tests/packages"
  manifest     = "tests/manifest.json"
  web          = "tests/web"
}

run "every_function_is_deployed_as_itself" {
  command = plan

  assert {
    condition     = length(azurerm_function_app_flex_consumption.suite) == 9
    error_message = "There is an app for each entry of the manifest."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.suite["merge_watch"].name == "acmelive-merge-watch"
    error_message = "An app's name has dashes where a function's has underscores."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.suite["ingest"].runtime_version == "3.11"
    error_message = "The app runs on the Python that its package was made for."
  }
  assert {
    condition     = length(azurerm_user_assigned_identity.function) == 9
    error_message = "Each function has an identity of its own."
  }
}

run "nothing_is_open_that_need_not_be" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.suite["ingest"].site_config[0].ip_restriction_default_action == "Deny" && azurerm_function_app_flex_consumption.suite["ingest"].site_config[0].ip_restriction[0].service_tag == "AzureFrontDoor.Backend"
    error_message = "HTTP functions are reached by way of Front Door alone."
  }
  assert {
    condition     = !azurerm_function_app_flex_consumption.suite["aggregate"].public_network_access_enabled
    error_message = "Other functions are private."
  }
  assert {
    condition     = !azurerm_storage_account.suite.shared_access_key_enabled && azurerm_storage_account.suite.network_rules[0].default_action == "Deny"
    error_message = "No key opens the stores, and nobody but the subnet reaches them."
  }
  assert {
    condition     = !azurerm_eventhub_namespace.suite.local_authentication_enabled
    error_message = "Identities alone append and read."
  }
  assert {
    condition     = azurerm_key_vault.suite.network_acls[0].default_action == "Deny"
    error_message = "Nobody but the subnet and the deployers reach the vault."
  }
}

run "a_function_may_do_what_the_manifest_says" {
  command = plan

  assert {
    condition     = keys(azurerm_role_assignment.appends) == ["ingest/stream:events"]
    error_message = "Only who appends may send."
  }
  assert {
    condition     = toset(keys(azurerm_role_assignment.receives)) == toset(["aggregate", "archive"])
    error_message = "A consumer reads as its own group."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.table_reads), "ingest/table:schedules") && !contains(keys(azurerm_role_assignment.table_writes), "ingest/table:schedules")
    error_message = "What is only read cannot be written."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.table_writes), "aggregate/table:audience") && !contains(keys(azurerm_role_assignment.table_reads), "aggregate/table:audience")
    error_message = "Who writes a table has one role for it."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.object_reads), "preferences/history") && !contains(keys(azurerm_role_assignment.object_writes), "preferences/history")
    error_message = "What only reads the history cannot write it."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.object_writes), "archive/objects:parked") && !contains(keys(azurerm_role_assignment.object_writes), "ingest/objects:parked")
    error_message = "A stream's consumer parks what it could not settle, and nobody else does."
  }
  assert {
    condition     = keys(azurerm_role_assignment.enqueues) == ["audience/queue:rebuild"] && keys(azurerm_role_assignment.works) == ["rebuild"]
    error_message = "One sends to the queue, the other takes from it."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.secrets), "ingest/secret:write-keys") && !contains(keys(azurerm_role_assignment.secrets), "ingest/secret:dead-letter-key")
    error_message = "A function reads its own secrets."
  }
}

run "resources_are_called_what_the_adapter_looks_for" {
  command = plan

  assert {
    condition     = azurerm_storage_table.suite["dead-letters"].name == "acmelivedeadletters"
    error_message = "Tables have no dashes."
  }
  assert {
    condition     = azurerm_storage_container.objects["staging"].name == "acmelive-staging" && azurerm_storage_container.objects["history"].name == "acmelive-history"
    error_message = "Each store of objects is a container, and so is the history."
  }
  assert {
    condition     = azurerm_storage_queue.suite["rebuild"].name == "acmelive-rebuild"
    error_message = "A queue has the suite's name before its own."
  }
  assert {
    condition     = azurerm_eventhub.stream["events"].name == "events" && azurerm_eventhub_consumer_group.function["archive"].name == "archive"
    error_message = "A stream is a hub, a consumer one of its groups."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.suite["aggregate"].app_settings["GRANDSTAND_EVENT_HUBS_CONNECTION__credential"] == "managedidentity"
    error_message = "Triggers sign in with the function's identity."
  }
}

run "the_edge_knows_each_path" {
  command = plan

  assert {
    condition = [for order in range(1, 7) : azurerm_cdn_frontdoor_rule.path[order].conditions[0].url_path_condition[0].match_values[0]] == [
      "^v1/contents/[^/]+/audience/now$",
      "^v1/contents/[^/]+/audience$",
      "^v1/preferences/top$",
      "^v1/contents/top$",
      "^v1/contents/[^/]+$",
      "^v1/events$",
    ]
    error_message = "Patterns that say more come first."
  }
  assert {
    condition     = azurerm_cdn_frontdoor_rule.path[1].actions[0].route_configuration_override_action[0].cache_behavior == "HonorOrigin" && azurerm_cdn_frontdoor_rule.path[2].actions[0].route_configuration_override_action[0].cache_behavior == "Disabled"
    error_message = "Front Door keeps answers that many may share, and nothing else."
  }
  assert {
    condition     = azurerm_storage_blob.page["assets/index-1a2b.js"].cache_control == "public, max-age=31536000, immutable"
    error_message = "What has a hash in its name may be kept for good."
  }
}

run "deployers_upload_packages_and_nobody_reaches_what_speaks_no_http" {
  command = plan

  variables {
    deployers = ["203.0.113.7"]
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.suite["aggregate"].public_network_access_enabled && azurerm_function_app_flex_consumption.suite["aggregate"].site_config[0].ip_restriction_default_action == "Deny" && length(azurerm_function_app_flex_consumption.suite["aggregate"].site_config[0].ip_restriction) == 0
    error_message = "The app itself lets nobody in."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.suite["aggregate"].site_config[0].scm_ip_restriction[0].ip_address == "203.0.113.7/32"
    error_message = "Who deploys can upload the package."
  }
}

run "a_name_of_ones_own_leads_to_both_routes" {
  command = plan

  variables {
    domain = "live.example.com"
  }

  assert {
    condition     = output.url == "https://live.example.com/" && length(azurerm_cdn_frontdoor_custom_domain_association.suite) == 1
    error_message = "The suite is reached under the name."
  }
}

run "scripts_for_other_sites_have_headers_of_their_own" {
  command = plan

  assert {
    condition     = [for rule in azurerm_cdn_frontdoor_rule.own : rule.conditions[0].url_path_condition[0].match_values[0]] == ["beacon.js"]
    error_message = "They may be loaded by pages of any origin."
  }
}

run "a_folder_without_packages_is_refused" {
  command = plan

  variables {
    packages = "tests"
  }

  expect_failures = [var.packages]
}

run "a_name_that_azure_refuses_is_refused_here" {
  command = plan

  variables {
    name = "grand-stand"
  }

  expect_failures = [var.name]
}
