variable "project" {
  description = "The project that the suite is deployed into."
  type        = string
}

variable "region" {
  description = "Where functions, Firestore, the bucket and the queues are, for example europe-west1."
  type        = string
}

variable "packages" {
  description = "The folder that `grandstand package --cloud gcp --out DIR` made."
  type        = string

  validation {
    condition     = fileexists("${var.packages}/package.json")
    error_message = "There is no package.json in that folder. Make it first: grandstand package --cloud gcp --out DIR"
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
  description = "What every resource's name begins with; two suites in one project differ in it."
  type        = string
  default     = "grandstand"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,13}[a-z0-9]$", var.name))
    error_message = "Lower-case letters, digits and dashes, 3 to 15 of them, beginning with a letter."
  }
}

variable "domain" {
  description = "The host name under which the suite is reached; its DNS points to the output `address`."
  type        = string
}

variable "settings" {
  description = "Settings of the suite by their variables, for example { GRANDSTAND_HISTORY_DAYS = \"90\" }."
  type        = map(string)
  default     = {}
}

variable "smtp_url" {
  description = "The mail server, smtps://user@host:port, whose password is the secret smtp-password. Empty: no mail."
  type        = string
  default     = ""
}

variable "mail_from" {
  description = "The sender of mails."
  type        = string
  default     = ""
}

variable "drains" {
  description = "How many drains of a stream's subscription run at once, by function: each keeps up with one stream."
  type        = map(number)
  default     = { aggregate = 2 }
}

variable "min_instances" {
  description = "Instances that stay warm, by function. None: nothing is paid for while nobody watches."
  type        = map(number)
  default     = {}
}

variable "max_instances" {
  description = "How far an HTTP function may grow."
  type        = number
  default     = 100
}

variable "alert_channels" {
  description = "Notification channels (projects/P/notificationChannels/N) that hear of what goes wrong."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted."
  type        = bool
  default     = true
}
