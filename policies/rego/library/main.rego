# METADATA
# title: Countersign library
# description: >-
#   Rules of laws and standards beside the baseline, each turned on by a framework or a parameter of the tenant. They
#   only restrict: what they have nothing to say about is allowed here and left to the baseline.
package countersign.main

import data.countersign.facts
import data.countersign.rules.automated_decisions
import data.countersign.rules.children
import data.countersign.rules.hipaa
import data.countersign.rules.hours
import data.countersign.rules.injection
import data.countersign.rules.marking
import data.countersign.rules.oversight
import data.countersign.rules.payment_cards
import data.countersign.rules.prohibited
import data.countersign.rules.purposes
import data.countersign.rules.record_keeping
import data.countersign.rules.special_categories
import data.countersign.rules.transparency
import data.countersign.waivers

# METADATA
# title: Decision
# description: Evaluated once per candidate deployment; see decision.schema.json.
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": sort(reasons),
	"obligations": sort(obligations),
	"user_message": facts.summary(reasons),
}

refusals contains reason if {
	some denied in [
		children.deny, deny, hipaa.deny, hours.deny, injection.deny, marking.deny, oversight.deny, payment_cards.deny,
		prohibited.deny, purposes.deny, record_keeping.deny, special_categories.deny,
	]
	some reason in denied
}

requests := automated_decisions.require_approval | oversight.require_approval

denials := {reason | some reason in refusals; not waivers.lifted(reason)}

questions := {reason | some reason in requests; not waivers.lifted(reason)}

effect := "deny" if {
	count(denials) > 0
} else := "require_approval" if {
	count(questions) > 0
} else := "allow"

reasons := denials if {
	effect == "deny"
} else := questions

waived := waivers.labels(refusals | requests)

# Who is refused has nothing to perform, except that the refusal is recorded; a tenant that only observes is not refused.
obligations := record_keeping.obligations | waived if {
	effect == "deny"
	not observed
} else := {obligation |
	some asked in [
		injection.obligations, marking.obligations, payment_cards.obligations, record_keeping.obligations,
		transparency.obligations, waived,
	]
	some obligation in asked
}

observed if input.mode == "observe"

# METADATA
# title: Frameworks these rules know
# description: The names of policies/controls/controls.json.
frameworks := {
	"ca_bot_act", "ccpa", "co_admt", "coppa", "dora", "ecoa", "eu_ai_act", "ferpa", "finra", "gdpr", "hipaa",
	"iso_27001", "iso_42001", "nist_800_63", "nist_ai_rmf", "nyc_ll144", "owasp_asi", "owasp_llm", "pci_dss", "psd2",
	"sec_17a_4", "soc2", "sox", "ut_ai_act",
}

# METADATA
# title: Framework is not known
# description: A misspelt framework would otherwise silently turn nothing on.
# custom:
#   rule: library.framework
#   severity: critical
#   controls: ["nist_ai_rmf:GOVERN-1.1"]
deny contains reason if {
	not administrative
	some framework in input.tenant.frameworks
	not framework in frameworks
	message := $"The framework {framework} of the tenant is not one the policies know."
	reason := facts.reason(rego.metadata.rule(), message, "")
}

# METADATA
# title: Facts are not what the library was written for
# description: Another version, or an input without the lists the rules look through.
# custom:
#   rule: library.input
#   severity: critical
#   controls: ["nist_ai_rmf:GOVERN-1.2"]
deny contains reason if {
	not administrative
	not well_formed
	reason := facts.reason(rego.metadata.rule(), "The policy could not read the facts of this call.", "")
}

administrative if startswith(input.point, "admin.")

well_formed if {
	input.version == 1
	is_object(facts.parameters)
	is_array(input.tenant.frameworks)
	is_array(input.findings)
	is_array(input.unscanned)
	is_array(input.waivers)
	is_array(input.session.taint)
	complete
}

complete if not about_a_model

complete if {
	is_array(input.model.tags)
	is_array(input.request.modalities)
}

about_a_model if input.point == "model.request"
