# The manifest says what there is; package.json, what is deployed of it.
locals {
  manifest = jsondecode(file(coalesce(var.manifest, "${path.module}/../manifest.json")))
  web      = coalesce(var.web, "${path.module}/../../web")
  package  = jsondecode(file("${var.packages}/package.json"))

  functions = { for each in local.manifest.functions : each.name => each }
  packaged  = { for each in local.package.functions : each.name => each }

  http      = { for name, each in local.functions : name => each if each.trigger.kind == "http" }
  streaming = { for name, each in local.functions : name => each if each.trigger.kind == "stream" }
  queued    = { for name, each in local.functions : name => each if each.trigger.kind == "queue" }
  scheduled = { for name, each in local.functions : name => each if each.trigger.kind == "schedule" }

  # names of functions may have underscores, those of services may not
  slug = { for name, _ in local.functions : name => "${var.name}-${replace(name, "_", "-")}" }

  # each function's resources, as { "function/resource" = { function, resource } }
  reads  = merge([for name, each in local.functions : { for one in each.reads : "${name}/${one}" => { function = name, resource = one } }]...)
  writes = merge([for name, each in local.functions : { for one in each.writes : "${name}/${one}" => { function = name, resource = one } }]...)
  uses   = merge(local.reads, local.writes)

  bucket = "${var.project}-${var.name}"

  labels = { suite = var.name }
}
