# METADATA
# title: Business hours, stops and exceptions
# description: >-
#   A tenant may have hours in which its people work. Beside this rule, administrators stop a tenant, an agent, a model or
#   a tool by a kill switch, which the gateway enforces whatever the policies say, and two people may sign a waiver that
#   lifts one rule's objection until it expires, or one person in an emergency, reviewed afterwards.
# custom:
#   policy: 25
#   on: "`hours`"
#   needs: [time.weekday, time.hour_utc]
package countersign.rules.hours

import data.countersign.facts

# METADATA
# title: Outside business hours
# description: >-
#   data.tenants[].hours.days, and from (included) to (excluded) in hours UTC. Only calls of persons are held to it.
# custom:
#   rule: hours.closed
#   severity: medium
#   controls: ["iso_27001:A.8.3", "soc2:CC6.1"]
deny contains reason if {
	input.point in {"model.request", "tools.list", "tool.call"}
	input.principal.type == "user"
	hours := facts.parameters.hours
	not open(hours)
	reason := facts.reason(rego.metadata.rule(), "This is outside the hours in which the tenant works.", "")
}

open(hours) if {
	input.time.weekday in hours.days
	input.time.hour_utc >= hours.from
	input.time.hour_utc < hours.to
}
