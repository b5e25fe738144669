# METADATA
# title: Code runs in a sandbox
# description: >-
#   Tools that run code or commands are called only by an agent whose environment was attested.
# custom:
#   policy: 20
#   on: "`execution`"
#   needs: [tools.call, agent.attested]
package countersign.rules.execution

import data.countersign.facts
import data.countersign.tool

# METADATA
# title: Agent is not attested
# description: data.tenants[].execution.tools names the tools that run code.
# custom:
#   rule: execution.sandbox
#   severity: critical
#   controls: ["owasp_asi:ASI05", "owasp_llm:LLM05"]
deny contains reason if {
	tool.listed(facts.parameters.execution.tools)
	not attested
	message := $"The tool {tool.called.name} runs code and is open only to attested agents."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

attested if input.agent.attested == true
