# The manifest says what there is; package.json, what is deployed of it.
locals {
  manifest = jsondecode(file(coalesce(var.manifest, "${path.module}/../manifest.json")))
  web      = coalesce(var.web, "${path.module}/../../web")
  package  = jsondecode(file("${var.packages}/package.json"))

  functions = { for each in local.manifest.functions : each.name => each }
  packaged  = { for each in local.package.functions : each.name => each }

  http      = { for name, each in local.functions : name => each if each.trigger.kind == "http" }
  streaming = { for name, each in local.functions : name => each if each.trigger.kind == "stream" }

  # names of functions may have underscores, those of apps may not
  slug = { for name, _ in local.functions : name => "${var.name}-${replace(name, "_", "-")}" }

  # what a stream's consumer parks is the Azure host's own affair, and so not in the manifest
  parks  = { for name, _ in local.streaming : "${name}/objects:parked" => { function = name, resource = "objects:parked" } }
  reads  = merge([for name, each in local.functions : { for one in each.reads : "${name}/${one}" => { function = name, resource = one } }]...)
  writes = merge(local.parks, [for name, each in local.functions : { for one in each.writes : "${name}/${one}" => { function = name, resource = one } }]...)
  uses   = merge(local.reads, local.writes)

  objects = toset(concat(local.manifest.objects, ["parked"]))

  tags = { suite = var.name }
}

resource "azurerm_resource_group" "suite" {
  name     = var.name
  location = var.location
  tags     = local.tags
}
