# METADATA
# title: Decisions about persons
# description: >-
#   Who gets a loan, a job, a flat or a place is not decided by a model alone. Either a person reviews every answer, and
#   the tenant says so, or another person approves each call.
# custom:
#   policy: 15
#   on: framework `gdpr`, `ecoa`, `nyc_ll144` or `co_admt`
#   needs: [purpose.declared, purpose.use_case, claimed.purpose, approvals]
package countersign.rules.automated_decisions

import data.countersign.facts
import data.countersign.use

# METADATA
# title: Decisions with legal or similar effect
domains := {"benefits", "credit", "education", "employment", "housing", "insurance", "healthcare"}

deciding if {
	some domain in (use.purposes | {domain | some domain in facts.parameters.use.decides})
	domain in domains
}

# METADATA
# title: Decision needs a person
# description: >-
#   A purpose or data.tenants[].use.decides is one of the domains, and data.tenants[].use.review is not person.
# custom:
#   rule: automated_decisions.review
#   severity: high
#   controls: ["co_admt:review", "ecoa:1002.9", "gdpr:22", "nyc_ll144:20-871"]
require_approval contains reason if {
	input.point == "model.request"
	facts.under({"co_admt", "ecoa", "gdpr", "nyc_ll144"})
	deciding
	not reviewed
	not facts.approved(null)
	message := "A decision about a person may be prepared after another person has approved the request."
	reason := facts.reason(rego.metadata.rule(), message, "/purpose")
}

reviewed if facts.parameters.use.review == "person"
