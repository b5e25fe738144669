# METADATA
# title: Special categories of personal data
# description: >-
#   Health numbers and other marks of a person's health, belief or origin go to an outside provider only for purposes
#   the tenant has written down. The detectors find identifiers and named groups, not the meaning of a sentence: what a
#   text says about a person without such a mark is not found.
# custom:
#   policy: 5
#   on: framework `gdpr` or `hipaa`, or `special_categories`
#   needs: [findings, purpose.declared, purpose.use_case, claimed.purpose]
package countersign.rules.special_categories

import data.countersign.facts
import data.countersign.use

# METADATA
# title: Types that mark a special category
# description: Others are added by data.tenants[].special_categories.types.
types := {
	"AU_MEDICARE", "DE_HEALTH_INSURANCE", "MEDICAL_LICENSE", "NRP", "UK_NHS", "US_MBI",
} | {type | some type in facts.parameters.special_categories.types}

on if facts.under({"gdpr", "hipaa"})

on if facts.parameters.special_categories

# METADATA
# title: Special-category data without a purpose for it
# description: >-
#   data.tenants[].special_categories.purposes are the purposes with a legal ground. Every purpose the call names has to
#   be one of them. Models the organisation runs itself are left out.
# custom:
#   rule: special_categories.refused
#   severity: high
#   controls: ["gdpr:9", "hipaa:164.502.b", "owasp_llm:LLM02"]
deny contains reason if {
	input.point == "model.request"
	on
	facts.external
	some finding in input.findings
	finding.type in types
	not grounded
	message := $"Data of type {finding.type} is a special category and may not be sent for this purpose."
	reason := facts.reason(rego.metadata.rule(), message, facts.first_path(finding))
}

grounded if {
	count(use.purposes) > 0
	every purpose in use.purposes { purpose in facts.parameters.special_categories.purposes }
}
