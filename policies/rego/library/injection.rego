# METADATA
# title: Prompt injection
# description: >-
#   Text that tries to give the model orders is answered as the tenant chose: refused, sent without tools, or only
#   labelled. Once the session has read from a source nobody vouches for, it is always refused.
# custom:
#   policy: 9
#   on: "`injection`"
#   needs: [findings of kind injection, session.taint, tools.offered]
package countersign.rules.injection

import data.countersign.facts

# METADATA
# title: Findings that count
# description: From data.tenants[].injection.min_score on, in thousandths; default 500.
suspects := [finding |
	facts.parameters.injection
	input.point in {"model.request", "tool.call", "tool.result"}
	some finding in input.findings
	finding.kind == "injection"
	finding.max_score >= object.get(facts.parameters, ["injection", "min_score"], 500)
]

treatment := facts.parameters.injection.treatment

tainted if {
	some label in input.session.taint
	startswith(label, "untrusted")
}

lenient if {
	treatment in {"label", "strip_tools"}
	input.point == "model.request"
	not tainted
}

# METADATA
# title: Injected instructions are refused
# description: >-
#   data.tenants[].injection.treatment is deny (the default), strip_tools or label. Tool calls and results, and sessions
#   with an `untrusted` taint, are refused whatever it says.
# custom:
#   rule: injection.refused
#   severity: high
#   controls: ["eu_ai_act:15.5", "owasp_asi:ASI01", "owasp_asi:ASI06", "owasp_llm:LLM01"]
deny contains reason if {
	count(suspects) > 0
	not lenient
	reason := facts.reason(rego.metadata.rule(), "The text contains instructions that try to change the model's task.", "")
}

# METADATA
# title: A suspicious request gets no tools
# description: With treatment strip_tools, all offered tools are taken out.
# custom:
#   rule: injection.tools
#   severity: info
#   controls: ["owasp_asi:ASI01", "owasp_llm:LLM01", "owasp_llm:LLM06"]
obligations contains {"type": "strip_tools", "names": names} if {
	count(suspects) > 0
	lenient
	treatment == "strip_tools"
	names := sort({tool.name | some tool in input.tools.offered})
	count(names) > 0
}

# METADATA
# title: A suspicious request is labelled
# description: The label `injection` stands in the entry of the call.
# custom:
#   rule: injection.label
#   severity: info
#   controls: ["owasp_llm:LLM01"]
obligations contains {"type": "label", "add": ["injection"]} if {
	count(suspects) > 0
	lenient
}
