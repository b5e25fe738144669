# METADATA
# title: Payments
# description: >-
#   A tool that moves money has a largest amount, an amount from which another person approves, and may draw on a budget
#   of its own whose reservations count as spent. A call whose amount cannot be read is refused.
# custom:
#   policy: 21
#   on: "`payments`"
#   needs: [tools.call.args, budget.scopes, approvals]
package countersign.rules.payments

import data.countersign.facts
import data.countersign.tool

# METADATA
# title: Terms of the called tool
# description: >-
#   The entries of data.tenants[].payments whose tool fits; .amount is the argument with the amount, in whole units of
#   the tool's currency.
terms contains term if {
	some term in facts.parameters.payments
	tool.listed([term.tool])
}

amount(term) := value if {
	value := tool.called.args[term.amount]
	is_number(value)
	value > 0
}

# METADATA
# title: Amount is too high, or cannot be read
# description: data.tenants[].payments[].max, included.
# custom:
#   rule: payments.amount
#   severity: critical
#   controls: ["owasp_asi:ASI02", "psd2:97", "sox:404"]
deny contains reason if {
	some term in terms
	not affordable(term)
	message := $"The tool {tool.called.name} may not move this amount, or its amount could not be read."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

affordable(term) if amount(term) <= term.max

# METADATA
# title: Rolling limit is used up
# description: >-
#   data.tenants[].payments[].scope names a budget scope; what remains of it after reservations covers the amount, one unit
#   of the tool's currency as one US dollar. A scope that is not there is used up.
# custom:
#   rule: payments.rolling
#   severity: high
#   controls: ["owasp_asi:ASI08", "psd2:97", "sox:404"]
deny contains reason if {
	some term in terms
	term.scope
	not covered(term)
	message := $"The limit for the tool {tool.called.name} is used up."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

covered(term) if {
	some scope in input.budget.scopes
	scope.id == term.scope
	scope.remaining_micro_usd >= amount(term) * 1000000
}

# METADATA
# title: Payment needs an approval
# description: From data.tenants[].payments[].approve_from on, included, by another person.
# custom:
#   rule: payments.approval
#   severity: high
#   controls: ["owasp_asi:ASI09", "sox:404"]
require_approval contains reason if {
	some term in terms
	amount(term) >= term.approve_from
	not facts.approved(null)
	message := $"The tool {tool.called.name} may move this amount after another person has approved it."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}
