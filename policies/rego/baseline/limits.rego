# METADATA
# title: Token limits
# description: >-
#   A request is not longer, and an answer not larger, than the tenant allows.
# custom:
#   on: "`limits`"
#   needs: [request.tokens_estimate, request.max_tokens]
package countersign.rules.limits

import data.countersign.facts

# METADATA
# title: Request is longer than the tenant allows
# description: data.tenants[].limits.max_input_tokens against the gateway's estimate.
# custom:
#   rule: limits.input
#   severity: low
#   controls: ["owasp_llm:LLM10"]
deny contains reason if {
	input.point == "model.request"
	cap := facts.parameters.limits.max_input_tokens
	not asks_at_most(cap)
	message := $"The request is estimated at more than the {cap} input tokens this tenant allows."
	reason := facts.reason(rego.metadata.rule(), message, "/messages")
}

# METADATA
# title: Answer is capped
# description: >-
#   data.tenants[].limits.max_output_tokens, asked for only where the caller gave no limit or a higher one, so that a
#   request that is within the cap keeps its bytes.
# custom:
#   rule: limits.output
#   severity: info
#   controls: ["owasp_llm:LLM10"]
obligations contains {"type": "limit", "max_tokens": cap} if {
	input.point == "model.request"
	cap := facts.parameters.limits.max_output_tokens
	not answers_at_most(cap)
}

asks_at_most(cap) if {
	is_number(input.request.tokens_estimate)
	input.request.tokens_estimate <= cap
}

answers_at_most(cap) if {
	is_number(input.request.max_tokens)
	input.request.max_tokens <= cap
}
