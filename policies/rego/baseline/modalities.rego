# METADATA
# title: What could not be scanned
# description: >-
#   Pictures, sound and everything else nobody looked into does not pass, unless the tenant accepts that kind.
# custom:
#   on: always; `modalities`
#   needs: [unscanned, request.urls]
package countersign.rules.modalities

import data.countersign.facts

# METADATA
# title: Content could not be scanned
# description: >-
#   Images, audio, video, files and oversized text are refused, on the way out and on the way back, unless
#   data.tenants[].modalities names the kind. Remote URLs of a request are left to the rules on hosts; one whose host is
#   not in the facts is refused here. Those of an answer are text: the gateway fetches nothing.
# custom:
#   rule: modalities.unscanned
#   severity: high
#   controls: ["iso_42001:A.9.4", "owasp_llm:LLM02"]
deny contains reason if {
	facts.has_content
	some part in input.unscanned
	not accepted(part)
	message := $"The part at {part.path} could not be scanned ({part.what}) and this tenant does not accept that."
	reason := facts.reason(rego.metadata.rule(), message, part.path)
}

accepted(part) if {
	part.what != "remote_url"
	part.what in facts.parameters.modalities
}

accepted(part) if {
	part.what == "remote_url"
	count(input.request.urls) > 0
}

accepted(part) if {
	part.what == "remote_url"
	input.point == "model.response"
}
