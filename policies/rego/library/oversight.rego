# METADATA
# title: A person oversees high-risk use
# description: >-
#   A tenant whose application is high-risk names the person who oversees it, and may ask that another person approves
#   each call. Without a name there are no calls.
# custom:
#   policy: 11
#   on: framework `eu_ai_act` with a risk class of `high`
#   needs: [purpose.eu_risk, approvals]
package countersign.rules.oversight

import data.countersign.facts
import data.countersign.use

high if {
	input.point == "model.request"
	facts.under({"eu_ai_act"})
	"high" in use.risks
}

# METADATA
# title: Nobody oversees this use
# description: data.tenants[].oversight.person names who does.
# custom:
#   rule: oversight.person
#   severity: high
#   controls: ["eu_ai_act:14", "eu_ai_act:26.2", "iso_42001:A.9.3"]
deny contains reason if {
	high
	not named
	reason := facts.reason(rego.metadata.rule(), "This high-risk use has no person who oversees it.", "/purpose")
}

named if count(facts.parameters.oversight.person) > 0

# METADATA
# title: High-risk call needs an approval
# description: >-
#   With data.tenants[].oversight.per_call, another person approves exactly this request, in one of
#   data.tenants[].oversight.roles if those are given.
# custom:
#   rule: oversight.approval
#   severity: high
#   controls: ["eu_ai_act:14", "iso_42001:A.9.3"]
require_approval contains reason if {
	high
	per_call
	not facts.approved(object.get(facts.parameters, ["oversight", "roles"], null))
	message := "This high-risk call may be made after another person has approved it."
	reason := facts.reason(rego.metadata.rule(), message, "/purpose")
}

# METADATA
# title: Each call is approved
# description: By anything but a plain no.
per_call if object.get(facts.parameters, ["oversight", "per_call"], false) != false
