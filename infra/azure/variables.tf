variable "subscription" {
  description = "The id of the subscription that the suite is deployed into."
  type        = string
}

variable "location" {
  description = "The region, for example westeurope; Flex Consumption must be offered there."
  type        = string
}

variable "packages" {
  description = "The folder that `grandstand package --cloud azure --out DIR` made."
  type        = string

  validation {
    condition     = fileexists("${var.packages}/package.json")
    error_message = "There is no package.json in that folder. Make it first: grandstand package --cloud azure --out DIR"
  }
}

variable "manifest" {
  description = "The list of functions; the one beside this module unless told otherwise."
  type        = string
  default     = null
}

variable "web" {
  description = "The folder web/ of the checkout, whose dist/ `make web` builds; the one of this checkout unless told otherwise."
  type        = string
  default     = null
}

variable "name" {
  description = "What every resource's name begins with. Storage accounts, vaults and namespaces are named worldwide: choose one that nobody has."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,11}$", var.name))
    error_message = "Lower-case letters and digits, 3 to 12 of them, beginning with a letter: storage accounts take no others."
  }
}

variable "domain" {
  description = "A host name of your own for the suite, for example live.example.com. None: Front Door's own name."
  type        = string
  default     = null
}

variable "settings" {
  description = "Settings of the suite by their variables, for example { GRANDSTAND_HISTORY_DAYS = \"90\" }."
  type        = map(string)
  default     = {}
}

variable "deployers" {
  description = "Public addresses from which Terraform and `grandstand init` reach the stores, as single IPv4 addresses."
  type        = list(string)
  default     = []
}

variable "partitions" {
  description = "Partitions of each Event Hub. They cannot be changed later: each is read by one instance at a time."
  type        = number
  default     = 32
}

variable "throughput_units" {
  description = "Throughput units of Event Hubs, at rest and at most; each takes 1 MB or 1,000 records a second."
  type        = object({ least = number, most = number })
  default     = { least = 1, most = 20 }
}

variable "replication" {
  description = "Where copies of the data lie: ZRS, three zones of the region; GZRS, a second region too."
  type        = string
  default     = "ZRS"
}

variable "always_ready" {
  description = "Instances that stay warm, by function. None: nothing is paid for while nobody watches."
  type        = map(number)
  default     = {}
}

variable "mail" {
  description = "Azure Communication Services for e-mail: its resource id, endpoint and verified sender. None: no mail."
  type        = object({ id = string, endpoint = string, from = string })
  default     = null
}

variable "alert_emails" {
  description = "Who hears of what goes wrong."
  type        = list(string)
  default     = []
}
