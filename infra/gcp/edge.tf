# One address: a load balancer with a CDN in front of the functions that speak HTTP and of the live page.
resource "google_compute_global_address" "suite" {
  name = var.name

  depends_on = [google_project_service.used]
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local.http

  name                  = local.slug[each.key]
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.suite[each.key].name
  }
}

locals {
  # functions with an answer that many may share
  cached = toset([for name, each in local.http : name if anytrue([for route in each.trigger.routes : route.cacheable])])

  # each path of each function, as the load balancer writes patterns; those that say most come first
  paths = distinct(flatten([
    for name, each in local.http : [
      for route in each.trigger.routes : {
        function = name
        template = replace(replace(route.path, "/\\{[a-z_]+:path\\}/", "*"), "/\\{[a-z_]+\\}/", "*")
      }
    ]
  ]))
  ordered = [
    for key in sort([for one in local.paths : format("%04d|%s|%s", 9999 - length(replace(one.template, "*", "")), one.template, one.function)]) :
    split("|", key)
  ]
}

resource "google_compute_security_policy" "suite" {
  name        = var.name
  description = "Floods from single addresses are slowed down before they reach a function."
  type        = "CLOUD_ARMOR"

  rule {
    action   = "deny(403)"
    priority = 900
    match {
      expr {
        expression = "evaluatePreconfiguredExpr('cve-canary')"
      }
    }
    description = "Log4Shell and its kin (CVE-2021-44228)"
  }

  rule {
    action   = "throttle"
    priority = 1000
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = 6000 # of everybody behind one address, a campus or a carrier
        interval_sec = 60
      }
    }
  }

  rule {
    action   = "allow"
    priority = 2147483647
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    description = "the default"
  }

  depends_on = [google_project_service.used]
}

resource "google_compute_backend_service" "function" {
  for_each = local.http

  name                  = local.slug[each.key]
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  enable_cdn            = contains(local.cached, each.key)
  security_policy       = google_compute_security_policy.suite.id
  compression_mode      = "AUTOMATIC"

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  dynamic "cdn_policy" {
    for_each = contains(local.cached, each.key) ? [1] : []
    content {
      cache_mode       = "USE_ORIGIN_HEADERS" # what is public says so, and for how long
      negative_caching = false

      cache_key_policy {
        include_host         = true
        include_protocol     = false
        include_query_string = true
      }
    }
  }

  log_config {
    enable      = true
    sample_rate = 0.01
  }
}

resource "google_storage_bucket" "page" {
  #checkov:skip=CKV_GCP_28:The live page is for everybody; what it shows needs a key.
  #checkov:skip=CKV_GCP_114:The live page is for everybody; what it shows needs a key.
  name                        = "${local.bucket}-page"
  location                    = var.region
  uniform_bucket_level_access = true
  labels                      = local.labels

  website {
    main_page_suffix = "index.html"
  }

  versioning {
    enabled = true
  }

  logging {
    log_bucket        = google_storage_bucket.logs.name
    log_object_prefix = "page"
  }
}

resource "google_storage_bucket_iam_member" "page" {
  #checkov:skip=CKV_GCP_28:The live page is for everybody; what it shows needs a key.
  bucket = google_storage_bucket.page.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
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
  page_files = fileset("${local.web}/dist", "**")
}

resource "google_storage_bucket_object" "page" {
  for_each = local.page_files

  name          = each.key
  bucket        = google_storage_bucket.page.name
  source        = "${local.web}/dist/${each.key}"
  content_type  = lookup(local.media_types, reverse(split(".", each.key))[0], "application/octet-stream")
  cache_control = startswith(each.key, "assets/") ? "public, max-age=31536000, immutable" : "public, max-age=60"
}

# The API's whole document, where `python -m infra.openapi` has put it beside the packages.
resource "google_storage_bucket_object" "openapi" {
  count = fileexists("${var.packages}/openapi.json") ? 1 : 0

  name          = "openapi.json"
  bucket        = google_storage_bucket.page.name
  source        = "${var.packages}/openapi.json"
  content_type  = "application/json"
  cache_control = "public, max-age=60"
}

resource "google_compute_backend_bucket" "page" {
  name             = "${var.name}-page"
  bucket_name      = google_storage_bucket.page.name
  enable_cdn       = true
  compression_mode = "AUTOMATIC"

  # scripts for other sites lie beside the page, and a bucket has the same headers for all that is in it
  custom_response_headers = concat(["Access-Control-Allow-Origin: *"], [
    for name, value in jsondecode(file("${local.web}/security-headers.json"))["/*"] : "${name}: ${value}"
    if name != "Cross-Origin-Resource-Policy"
  ])

  depends_on = [google_project_service.used]
}

resource "google_compute_url_map" "suite" {
  name            = var.name
  default_service = google_compute_backend_bucket.page.id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "suite"
  }

  path_matcher {
    name            = "suite"
    default_service = google_compute_backend_bucket.page.id

    dynamic "route_rules" {
      for_each = { for index, one in local.ordered : index => one }
      content {
        priority = route_rules.key + 1
        service  = google_compute_backend_service.function[route_rules.value[2]].id

        match_rules {
          path_template_match = route_rules.value[1]
        }
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "suite" {
  name = "${var.name}-${substr(sha1(var.domain), 0, 8)}" # one that is used cannot be changed, only followed

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.used]
}

resource "google_compute_ssl_policy" "suite" {
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.used]
}

resource "google_compute_target_https_proxy" "suite" {
  name             = var.name
  url_map          = google_compute_url_map.suite.id
  ssl_certificates = [google_compute_managed_ssl_certificate.suite.id]
  ssl_policy       = google_compute_ssl_policy.suite.id
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "${var.name}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.suite.id
  port_specifications   = "443"
  target                = google_compute_target_https_proxy.suite.id
}
