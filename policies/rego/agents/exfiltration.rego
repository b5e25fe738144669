# METADATA
# title: What was read in confidence does not leave
# description: >-
#   After a session has read something sensitive, it calls no tool that reaches the outside. A tool reaches the outside
#   unless its reviewed definition says otherwise, or all hosts in its arguments are the tenant's own.
# custom:
#   policy: 19
#   on: "`exfiltration`"
#   needs: [session.taint, tools.call.targets, "tools.offered (pinned, annotations)"]
package countersign.rules.exfiltration

import data.countersign.facts
import data.countersign.tool

# METADATA
# title: Taints that count as sensitive
# description: data.tenants[].exfiltration.sensitive, with one `*` for any characters.
sensitive := object.get(facts.parameters, ["exfiltration", "sensitive"], ["confidential", "pii*", "restricted", "secret*"])

carrying if {
	some label in input.session.taint
	facts.listed(sensitive, label)
}

# METADATA
# title: Sensitive data could leave through this tool
# description: data.tenants[].exfiltration.own_hosts are the tenant's own.
# custom:
#   rule: exfiltration.sink
#   severity: critical
#   controls: ["iso_27001:A.8.12", "owasp_asi:ASI01", "owasp_asi:ASI06", "owasp_llm:LLM02"]
deny contains reason if {
	tool.called
	facts.parameters.exfiltration
	carrying
	not tool.closed
	not inside
	message := $"This session has read sensitive data, so the tool {tool.called.name} may not be called."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

inside if {
	count(tool.called.targets) > 0
	every target in tool.called.targets {
		facts.listed(facts.parameters.exfiltration.own_hosts, target)
	}
}
