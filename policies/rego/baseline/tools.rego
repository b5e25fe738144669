# METADATA
# title: Tools
# description: >-
#   A tool is called only if the tenant has listed it, and unlisted tools are not shown. Functions of the application
#   itself are stripped by name.
# custom:
#   on: always, at tools; `tools`, `strip_tools`
#   needs: [tools.call, tools.offered]
package countersign.rules.tools

import data.countersign.facts

# METADATA
# title: Tools are taken out of the request
# description: The offered tools that data.tenants[].strip_tools names.
# custom:
#   rule: tools.stripped
#   severity: info
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM06"]
obligations contains {"type": "strip_tools", "names": names} if {
	input.point == "model.request"
	names := sort({tool.name | some tool in input.tools.offered; tool.name in facts.parameters.strip_tools})
	count(names) > 0
}

# METADATA
# title: Tool is not on the tenant's list
# description: >-
#   A tool is called, and its result read, only if `<tool>` or `<server>/<tool>` fits an entry of data.tenants[].tools,
#   in which one `*` stands for any characters. Without the list none is.
# custom:
#   rule: tools.allow_list
#   severity: high
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM06"]
deny contains reason if {
	input.point in {"tool.call", "tool.result"}
	not usable(input.tools.call)
	message := $"The tool {input.tools.call.name} is not one this tenant may use."
	reason := facts.reason(rego.metadata.rule(), message, "/tools/call")
}

# METADATA
# title: Unlisted tools are not shown
# description: What `tools.allow_list` would refuse is taken out of a server's list of tools.
# custom:
#   rule: tools.hidden
#   severity: info
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM06"]
obligations contains {"type": "strip_tools", "names": names} if {
	input.point == "tools.list"
	names := sort({tool.name | some tool in input.tools.offered; not usable(tool)})
	count(names) > 0
}

usable(tool) if facts.listed(facts.parameters.tools, tool.name)

usable(tool) if facts.listed(facts.parameters.tools, $"{tool.server}/{tool.name}")
