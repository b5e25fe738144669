# METADATA
# title: Only tools that were reviewed
# description: >-
#   A tool is called only as it was when somebody reviewed it: with the same description and schema. Tools of servers
#   that have changed or were never reviewed are not shown to the model either.
# custom:
#   policy: 17
#   on: "`tool_pinning`"
#   needs: [tools.call, "tools.offered (server, pinned)"]
package countersign.rules.tool_pinning

import data.countersign.facts
import data.countersign.tool

# METADATA
# title: Pins are asked for
# description: By anything but a plain no.
on if object.get(facts.parameters, "tool_pinning", false) != false

# METADATA
# title: Tool is not the one that was reviewed
# description: data.tenants[].tool_pinning.
# custom:
#   rule: tool_pinning.drift
#   severity: high
#   controls: ["owasp_asi:ASI04", "owasp_llm:LLM03"]
deny contains reason if {
	tool.called
	on
	not tool.definition
	message := $"The tool {tool.called.name} is not as it was reviewed, or was never reviewed."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

# METADATA
# title: Unreviewed tools are not offered
# description: Tools of a server only; a function of the application itself has no server that could change it.
# custom:
#   rule: tool_pinning.hidden
#   severity: info
#   controls: ["owasp_asi:ASI04", "owasp_llm:LLM03"]
obligations contains {"type": "strip_tools", "names": names} if {
	input.point in {"model.request", "tools.list"}
	on
	names := sort({offer.name |
		some offer in input.tools.offered
		offer.server != null
		offer.pinned != true
	})
	count(names) > 0
}
