# METADATA
# title: Models a tenant may use
# description: >-
#   A tenant calls only the models it has listed, and the expensive or delicate ones among them only after another
#   person has approved exactly that request.
# custom:
#   policy: 1
#   on: "`models`, `approval.models`"
#   needs: [model.requested, model.deployment, approvals]
package countersign.rules.models

import data.countersign.facts

# METADATA
# title: Model is not on the tenant's list
# description: >-
#   With data.tenants[].models set, the name the caller asked for or the deployment behind it matches an entry. One `*`
#   in an entry stands for any characters. Without the list every configured model is open to the tenant.
# custom:
#   rule: models.allow_list
#   severity: medium
#   controls: ["iso_42001:A.9.2", "iso_42001:A.9.4", "nist_ai_rmf:GOVERN-1.2"]
deny contains reason if {
	input.point == "model.request"
	patterns := facts.parameters.models
	not fits_a_model(patterns)
	message := $"The model {input.model.requested} is not one this tenant may use."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

fits_a_model(patterns) if facts.listed(patterns, input.model.requested)

fits_a_model(patterns) if facts.listed(patterns, input.model.deployment)

# METADATA
# title: Model needs an approval
# description: >-
#   A model named in data.tenants[].approval.models is called only with an approval that another person gave for exactly
#   this request and that has not expired.
# custom:
#   rule: models.approval
#   severity: medium
#   controls: ["eu_ai_act:14", "iso_42001:A.9.3"]
require_approval contains reason if {
	input.point == "model.request"
	fits_a_model(facts.parameters.approval.models)
	not facts.approved(null)
	message := $"The model {input.model.requested} may be called after another person has approved the request."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}
