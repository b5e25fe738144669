# METADATA
# title: Approval before damage
# description: >-
#   A tool that may destroy or change something is called after another person has approved exactly this call.
# custom:
#   policy: 16
#   on: "`tool_approval`"
#   needs: [tools.call, "tools.offered (pinned, annotations)", approvals]
package countersign.rules.tool_approval

import data.countersign.facts
import data.countersign.tool

terms := facts.parameters.tool_approval

# METADATA
# title: Tool needs an approval
# description: >-
#   data.tenants[].tool_approval.for is destructive, writes or all; tools in .except are left out; .roles are the roles
#   that may approve. An unknown word counts as all.
# custom:
#   rule: tool_approval.required
#   severity: high
#   controls: ["owasp_asi:ASI02", "owasp_asi:ASI09", "owasp_llm:LLM06", "soc2:CC8.1"]
require_approval contains reason if {
	tool.called
	not spared
	not tool.listed(object.get(terms, "except", []))
	not facts.approved(object.get(terms, "roles", null))
	message := $"The tool {tool.called.name} may be called after another person has approved this call."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

spared if {
	terms.for == "destructive"
	tool.harmless
}

spared if {
	terms.for == "writes"
	tool.read_only
}
