# METADATA
# title: Runaway sessions
# description: >-
#   A session that calls too many tools, is refused too often or goes too fast is stopped, and when a budget runs low
#   another person approves what is still spent. Hard budgets and rates hold without this policy; it stops an agent
#   before it meets them.
# custom:
#   policy: 22
#   on: "`loops`, `low_budget`"
#   needs: [session.tool_calls, session.denials, session.history, budget.scopes, approvals]
package countersign.rules.loops

import data.countersign.facts

governed if input.point in {"model.request", "tool.call"}

limits := facts.parameters.loops

# METADATA
# title: Too many tool calls in one session
# description: data.tenants[].loops.tool_calls is the number of calls a session may make.
# custom:
#   rule: loops.tool_calls
#   severity: medium
#   controls: ["owasp_asi:ASI08", "owasp_llm:LLM10"]
deny contains reason if {
	input.point == "tool.call"
	most := limits.tool_calls
	not calls_below(most)
	message := $"This session has made the {most} tool calls it may make."
	reason := facts.reason(rego.metadata.rule(), message, "/session")
}

# METADATA
# title: Too many refusals in one session
# description: After data.tenants[].loops.denials refusals nothing more is served.
# custom:
#   rule: loops.denials
#   severity: medium
#   controls: ["owasp_asi:ASI08", "owasp_asi:ASI10", "owasp_llm:LLM10"]
deny contains reason if {
	governed
	most := limits.denials
	not denials_below(most)
	message := $"This session was refused {most} times or more and is stopped."
	reason := facts.reason(rego.metadata.rule(), message, "/session")
}

# METADATA
# title: Too many calls in a short time
# description: Fewer than data.tenants[].loops.rate.calls within the last .rate.seconds, by the session's own history.
# custom:
#   rule: loops.rate
#   severity: medium
#   controls: ["owasp_asi:ASI08", "owasp_llm:LLM10"]
deny contains reason if {
	governed
	most := limits.rate.calls
	not recent_below(most)
	message := $"This session has made {most} calls within {limits.rate.seconds} seconds and has to wait."
	reason := facts.reason(rego.metadata.rule(), message, "/session")
}

calls_below(most) if input.session.tool_calls < most

denials_below(most) if input.session.denials < most

recent_below(most) if recent < most

recent := count([1 |
	some step in input.session.history
	step.ms_ago < limits.rate.seconds * 1000
])

# METADATA
# title: Budget runs low
# description: >-
#   With data.tenants[].low_budget.below_ppm, what is spent while less than that part of a budget (in millionths) remains
#   is approved by another person.
# custom:
#   rule: loops.low_budget
#   severity: medium
#   controls: ["owasp_llm:LLM10"]
require_approval contains reason if {
	governed
	some scope in input.budget.scopes
	scope.remaining_ratio_ppm < facts.parameters.low_budget.below_ppm
	not facts.approved(null)
	reason := facts.reason(rego.metadata.rule(), "A budget runs low; another person has to approve this call.", "")
}
