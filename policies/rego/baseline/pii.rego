# METADATA
# title: Personal data
# description: >-
#   Personal data is replaced by tokens before an outside provider sees it, and put back in the answer. A tenant
#   chooses another treatment, by type, or refuses.
# custom:
#   policy: 4
#   on: always; `pii`, `response.pii`
#   needs: [findings, model.hosting]
package countersign.rules.pii

import data.countersign.facts

found := [finding | some finding in input.findings; finding.kind == "pii"]

# METADATA
# title: What happens to one type of personal data
# description: >-
#   An operator, "deny", or "leave". "leave" exists for models the organisation runs itself; for an external provider a
#   value other than an operator or "deny" counts as "deny".
treatment(_) := object.get(facts.parameters, ["pii", "internal"], "leave") if not facts.external

treatment(type) := object.get(by_type, type, by_default) if facts.external

by_type := object.get(facts.parameters, ["pii", "types"], {})

by_default := object.get(facts.parameters, ["pii", "external"], "tokenize")

is_operator(name) if {
	name == "tokenize"
} else if {
	name in {"redact", "replace", "hash", "surrogate", "mask"}
}

treated(finding) if is_operator(treatment(finding.type))

treated(finding) if {
	not facts.external
	treatment(finding.type) == "leave"
}

# METADATA
# title: Personal data must not leave
# description: The tenant's parameters refuse this type of personal data instead of redacting it.
# custom:
#   rule: pii.refused
#   severity: high
#   controls: ["gdpr:5.1.c", "gdpr:25", "owasp_llm:LLM02"]
deny contains reason if {
	input.point == "model.request"
	some finding in found
	not treated(finding)
	message := $"Personal data of type {finding.type} was found{facts.places(finding)} and may not be sent to this model."
	reason := facts.reason(rego.metadata.rule(), message, facts.first_path(finding))
}

# METADATA
# title: Personal data is redacted before it leaves
# description: Grouped by operator; the default replaces each value by a token that is restored in the answer.
# custom:
#   rule: pii.redacted
#   severity: info
#   controls: ["ccpa:1798.100.c", "gdpr:5.1.c", "gdpr:25", "gdpr:32"]
obligations contains {"type": "redact", "types": types, "operator": operator} if {
	input.point == "model.request"
	some operator in {treatment(finding.type) | some finding in found}
	is_operator(operator)
	types := sort({finding.type | some finding in found; treatment(finding.type) == operator})
}

# METADATA
# title: Personal data that may not leave is replaced where calls are only observed
# description: A tenant that observes is not refused; the value is replaced by a token that is restored in the answer.
# custom:
#   rule: pii.observed
#   severity: info
#   controls: ["ccpa:1798.100.c", "gdpr:5.1.c", "gdpr:25", "gdpr:32"]
obligations contains {"type": "redact", "types": types, "operator": "tokenize"} if {
	input.point == "model.request"
	input.mode == "observe"
	types := sort({finding.type | some finding in found; not treated(finding)})
	count(types) > 0
}

# METADATA
# title: Personal data in the answer
# description: Only with data.tenants[].response.pii; decided before the first byte, so it does not ask for findings.
# custom:
#   rule: pii.response
#   severity: info
#   controls: ["gdpr:5.1.c", "gdpr:25"]
obligations contains {"type": "redact", "types": ["pii"], "operator": operator} if {
	input.point == "model.response"
	operator := facts.parameters.response.pii
	is_operator(operator)
}
