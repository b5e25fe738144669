# METADATA
# title: Secrets
# description: >-
#   A password or key in a request is refused for every model and tool, because redacting it would hide that it has
#   to be changed. In answers it is cut out.
# custom:
#   policy: 8
#   on: always
#   needs: [findings]
package countersign.rules.secrets

import data.countersign.facts

# METADATA
# title: Secrets never leave
# description: >-
#   A credential in a request or in a tool's arguments is refused whatever the model or tool, because redacting it would
#   hide from the caller that it has to be rotated. The message names the type and the place, never the value.
# custom:
#   rule: secrets.outbound
#   severity: critical
#   controls: ["iso_27001:A.8.12", "owasp_llm:LLM02", "owasp_llm:LLM07", "soc2:CC6.1"]
deny contains reason if {
	some finding in input.findings
	finding.kind == "secret"
	receiver := receivers[input.point]
	message := $"A secret of type {finding.type} was found{facts.places(finding)}. Secrets are not sent to a {receiver}."
	reason := facts.reason(rego.metadata.rule(), message, facts.first_path(finding))
}

receivers := {"model.request": "model", "tool.call": "tool"}

# METADATA
# title: Secrets are cut out of answers
# description: Of models and tools; always asked for, because an answer is decided before its first byte.
# custom:
#   rule: secrets.inbound
#   severity: info
#   controls: ["iso_27001:A.8.12", "owasp_llm:LLM02"]
obligations contains {"type": "redact", "types": ["secret"], "operator": "redact"} if {
	input.point in {"model.response", "tool.result"}
}

# METADATA
# title: Secrets are cut out of requests that are only observed
# description: A tenant that observes is not refused, and its secrets do not leave either.
# custom:
#   rule: secrets.observed
#   severity: info
#   controls: ["iso_27001:A.8.12", "owasp_llm:LLM02"]
obligations contains {"type": "redact", "types": ["secret"], "operator": "redact"} if {
	input.point == "model.request"
	input.mode == "observe"
	some finding in input.findings
	finding.kind == "secret"
}
