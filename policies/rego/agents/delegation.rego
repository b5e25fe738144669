# METADATA
# title: Who acts for whom
# description: >-
#   Only agents the tenant knows act for its people, each may hand on a task only so often, and where the tenant asks for
#   it an agent proves what it is.
# custom:
#   policy: 23
#   on: "`delegation`"
#   needs: [agent.id, agent.attested, agent.delegation]
package countersign.rules.delegation

import data.countersign.facts

governed if input.point in {"model.request", "tools.list", "tool.call"}

terms := facts.parameters.delegation

acting if input.agent.id != null

acting if count(input.agent.delegation) > 0

# METADATA
# title: Agent is not known
# description: >-
#   The agent and every actor between it and the principal fit data.tenants[].delegation.agents. A principal who calls
#   without an agent is left out.
# custom:
#   rule: delegation.agent
#   severity: high
#   controls: ["nist_800_63:63C", "owasp_asi:ASI03", "owasp_asi:ASI07", "owasp_asi:ASI10"]
deny contains reason if {
	governed
	acting
	agents := terms.agents
	not known(agents)
	reason := facts.reason(rego.metadata.rule(), "This agent, or one it acts for, is not known to the tenant.", "/agent")
}

known(agents) if {
	facts.listed(agents, input.agent.id)
	every actor in input.agent.delegation { facts.listed(agents, actor) }
}

# METADATA
# title: Task was handed on too often
# description: data.tenants[].delegation.depth is the largest number of actors between the agent and the principal.
# custom:
#   rule: delegation.depth
#   severity: medium
#   controls: ["owasp_asi:ASI03", "owasp_asi:ASI07"]
deny contains reason if {
	governed
	depth := terms.depth
	not within(depth)
	message := $"The task was handed on more than {depth} times."
	reason := facts.reason(rego.metadata.rule(), message, "/agent")
}

within(depth) if count(input.agent.delegation) <= depth

# METADATA
# title: Agent did not prove what it is
# description: With data.tenants[].delegation.attested.
# custom:
#   rule: delegation.attested
#   severity: high
#   controls: ["nist_800_63:63C", "owasp_asi:ASI03"]
deny contains reason if {
	governed
	acting
	object.get(terms, "attested", false) != false
	not attested
	reason := facts.reason(rego.metadata.rule(), "This agent has not proven what it is.", "/agent")
}

attested if input.agent.attested == true
