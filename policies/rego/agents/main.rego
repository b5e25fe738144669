# METADATA
# title: Countersign rules for agents
# description: >-
#   Rules on tools, sessions, money and delegation beside the baseline, each turned on by a parameter of the tenant. They
#   only restrict: what they have nothing to say about is allowed here and left to the baseline.
package countersign.main

import data.countersign.facts
import data.countersign.rules.delegation
import data.countersign.rules.execution
import data.countersign.rules.exfiltration
import data.countersign.rules.loops
import data.countersign.rules.payments
import data.countersign.rules.tool_approval
import data.countersign.rules.tool_egress
import data.countersign.rules.tool_pinning
import data.countersign.waivers

# METADATA
# title: Decision
# description: See decision.schema.json.
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": sort(reasons),
	"obligations": sort(obligations),
	"user_message": facts.summary(reasons),
}

refusals contains reason if {
	some denied in [
		delegation.deny, deny, execution.deny, exfiltration.deny, loops.deny, payments.deny, tool_egress.deny,
		tool_pinning.deny,
	]
	some reason in denied
}

requests := union({loops.require_approval, payments.require_approval, tool_approval.require_approval})

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

# Who is refused has nothing to perform; a tenant that only observes is not refused.
obligations := waived if {
	effect == "deny"
	not observed
} else := tool_pinning.obligations | waived

observed if input.mode == "observe"

# METADATA
# title: Facts are not what the rules for agents were written for
# description: Another version, or an input without the lists the rules look through.
# custom:
#   rule: agents.input
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
	is_array(input.agent.delegation)
	is_array(input.session.taint)
	is_array(input.session.history)
	is_array(input.budget.scopes)
	is_array(input.tools.offered)
	is_array(input.waivers)
	complete
}

complete if not about_a_tool

complete if {
	is_string(input.tools.call.name)
	is_object(input.tools.call.args)
	is_array(input.tools.call.targets)
}

about_a_tool if input.point == "tool.call"
