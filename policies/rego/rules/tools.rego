# METADATA
# title: Tools offered to the model
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
