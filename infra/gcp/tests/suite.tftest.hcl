# What the module makes of a manifest with a function of every kind, without any account.
mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

variables {
  project  = "acme-live"
  region   = "europe-west1"
  domain   = "live.example.com"
  packages = "tests/packages"
  manifest = "tests/manifest.json"
  web      = "tests/web"
}

run "every_function_is_deployed_as_itself" {
  command = plan

  assert {
    condition     = length(google_cloudfunctions2_function.suite) == 9
    error_message = "There is a function for each entry of the manifest."
  }
  assert {
    condition     = google_cloudfunctions2_function.suite["merge_watch"].name == "grandstand-merge-watch"
    error_message = "A service's name has dashes where a function's has underscores."
  }
  assert {
    condition     = alltrue([for name, each in google_cloudfunctions2_function.suite : each.service_config[0].environment_variables["GRANDSTAND_FUNCTION"] == name])
    error_message = "Each deployment knows which function it is."
  }
  assert {
    condition     = google_cloudfunctions2_function.suite["ingest"].build_config[0].entry_point == "handle"
    error_message = "The build looks for the function in main.py."
  }
  assert {
    condition     = length(google_service_account.function) == 9
    error_message = "Each function has an identity of its own."
  }
}

run "only_the_load_balancer_reaches_what_speaks_http" {
  command = plan

  assert {
    condition     = google_cloudfunctions2_function.suite["ingest"].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "HTTP functions are reached through the load balancer."
  }
  assert {
    condition     = google_cloudfunctions2_function.suite["aggregate"].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "Other functions are private."
  }
  assert {
    condition     = toset(keys(google_cloud_run_service_iam_member.public)) == toset(["ingest", "audience", "contents", "preferences"])
    error_message = "Nobody but the invoker starts what does not speak HTTP."
  }
  assert {
    condition     = google_storage_bucket.suite.public_access_prevention == "enforced"
    error_message = "No object can be made public."
  }
}

run "a_function_may_do_what_the_manifest_says" {
  command = plan

  assert {
    condition     = keys(google_pubsub_topic_iam_member.appends) == ["ingest/stream:events"]
    error_message = "Only who appends may publish."
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription_iam_member.drains)) == toset(["aggregate", "archive"])
    error_message = "A consumer reads its own subscription."
  }
  assert {
    condition     = !contains(keys(google_project_iam_member.tables), "preferences")
    error_message = "What uses no table may not use the database."
  }
  assert {
    condition     = strcontains(google_storage_bucket_iam_member.writes["archive/objects:staging"].condition[0].expression, "/objects/objects/staging/")
    error_message = "Writing is confined to the store's folder."
  }
  assert {
    condition     = contains(keys(google_storage_bucket_iam_member.reads), "preferences/history") && !contains(keys(google_storage_bucket_iam_member.writes), "preferences/history")
    error_message = "What only reads the history cannot write it."
  }
  assert {
    condition     = keys(google_cloud_tasks_queue_iam_member.enqueues) == ["audience/queue:rebuild"]
    error_message = "Only who sends may enqueue."
  }
  assert {
    condition     = contains(keys(google_secret_manager_secret_iam_member.reads), "ingest/secret:write-keys") && !contains(keys(google_secret_manager_secret_iam_member.reads), "ingest/secret:dead-letter-key")
    error_message = "A function reads its own secrets."
  }
}

run "streams_redeliver_and_end_at_the_dead_letters" {
  command = plan

  assert {
    condition     = google_pubsub_subscription.stream["aggregate"].dead_letter_policy[0].max_delivery_attempts == 100
    error_message = "A record has a hundred attempts."
  }
  assert {
    condition     = google_pubsub_subscription.stream["aggregate"].enable_message_ordering == false
    error_message = "Order is never relied on."
  }
  assert {
    condition     = google_pubsub_subscription.stream["archive"].name == "grandstand-events-archive"
    error_message = "The adapter looks for the subscription under this name."
  }
  assert {
    condition     = length(google_cloud_scheduler_job.drain) == 6
    error_message = "Two drains of aggregate and one of archive begin each minute, by two jobs in turn."
  }
  assert {
    condition     = length([for each in google_cloud_scheduler_job.drain : each if each.schedule == "*/2 * * * *"]) == 3
    error_message = "A job is not started again before its drain has ended, so it has each other minute."
  }
}

run "schedules_start_at_most_each_minute" {
  command = plan

  assert {
    condition     = google_cloud_scheduler_job.schedule["commit"].schedule == "*/1 * * * *"
    error_message = "What runs more often than that repeats inside its minute."
  }
  assert {
    condition     = google_cloud_scheduler_job.schedule["merge_watch"].schedule == "*/5 * * * *"
    error_message = "What runs each five minutes is started so."
  }
  assert {
    condition     = google_cloudfunctions2_function.suite["aggregate"].service_config[0].timeout_seconds == 150
    error_message = "A drain has time for its minute and its last batch."
  }
}

run "the_edge_knows_each_path" {
  command = plan

  assert {
    condition = [for rule in google_compute_url_map.suite.path_matcher[0].route_rules : rule.match_rules[0].path_template_match] == [
      "/v1/contents/*/audience/now",
      "/v1/contents/*/audience",
      "/v1/preferences/top",
      "/v1/contents/top",
      "/v1/contents/*",
      "/v1/events",
    ]
    error_message = "Patterns that say more come first."
  }
  assert {
    condition     = google_compute_backend_service.function["audience"].enable_cdn && !google_compute_backend_service.function["ingest"].enable_cdn
    error_message = "The CDN keeps answers that many may share, and nothing else."
  }
}

run "secrets_have_no_value_here" {
  command = plan

  assert {
    condition     = length(google_secret_manager_secret.suite) == 4
    error_message = "Each secret of the manifest is declared."
  }
}

run "mail_brings_its_password" {
  command = plan

  variables {
    smtp_url  = "smtps://mail.example.com:465"
    mail_from = "live@example.com"
  }

  assert {
    condition     = contains(keys(google_secret_manager_secret.suite), "smtp-password")
    error_message = "The mail server's password is a secret too."
  }
}

run "a_folder_without_packages_is_refused" {
  command = plan

  variables {
    packages = "tests"
  }

  expect_failures = [var.packages]
}

run "a_name_that_google_refuses_is_refused_here" {
  command = plan

  variables {
    name = "Grand_Stand"
  }

  expect_failures = [var.name]
}
