# METADATA
# title: Models by purpose
# description: >-
#   A tenant that works for several purposes says which models serve which. A call for a purpose that is not on the
#   list, or that states none, is refused, and so is a model that is not the purpose's.
# custom:
#   policy: 1
#   on: "`purposes`"
#   needs: [purpose.declared, purpose.use_case, claimed.purpose]
package countersign.rules.purposes

import data.countersign.facts
import data.countersign.use

# METADATA
# title: Purpose is not one of the tenant's
# description: With data.tenants[].purposes set, a call has a purpose, and each purpose it names is listed there.
# custom:
#   rule: purposes.unlisted
#   severity: medium
#   controls: ["gdpr:5.1.b", "iso_42001:A.9.2", "iso_42001:A.9.4", "nist_ai_rmf:MAP-1.1"]
deny contains reason if {
	input.point == "model.request"
	purposes := facts.parameters.purposes
	not stated(purposes)
	reason := facts.reason(rego.metadata.rule(), "The purpose of this call is not one of the tenant's.", "/purpose")
}

stated(purposes) if {
	count(use.purposes) > 0
	every purpose in use.purposes { is_object(purposes[purpose]) }
}

# METADATA
# title: Model is not for this purpose
# description: data.tenants[].purposes.<purpose>.models names models or deployments; one `*` stands for any characters.
# custom:
#   rule: purposes.model
#   severity: medium
#   controls: ["iso_42001:A.9.3", "iso_42001:A.9.4", "nist_ai_rmf:GOVERN-1.2"]
deny contains reason if {
	input.point == "model.request"
	some purpose in use.purposes
	models := facts.parameters.purposes[purpose].models
	not serves(models)
	message := $"The model {input.model.requested} may not be used for this purpose."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

serves(models) if facts.listed(models, input.model.requested)

serves(models) if facts.listed(models, input.model.deployment)
