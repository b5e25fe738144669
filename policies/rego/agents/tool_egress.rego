# METADATA
# title: Hosts a tool may be pointed at
# description: >-
#   The hosts in a tool's arguments (of addresses, e-mail recipients and host names) are on the tenant's list, or the
#   tool is not called.
# custom:
#   policy: 18
#   on: "`tool_hosts`"
#   needs: [tools.call.targets]
package countersign.rules.tool_egress

import data.countersign.facts
import data.countersign.tool

# METADATA
# title: Host is not on the list
# description: "data.tenants[].tool_hosts; `*.example.com` stands for every host below example.com, not for itself."
# custom:
#   rule: tool_egress.host
#   severity: high
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM02"]
deny contains reason if {
	tool.called
	hosts := facts.parameters.tool_hosts
	not within(hosts)
	message := $"The tool {tool.called.name} is pointed at a host this tenant has not listed."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

within(hosts) if {
	every target in tool.called.targets {
		facts.listed(hosts, trim_suffix(lower(target), "."))
	}
}
