# METADATA
# title: What the ledger keeps, and what the user is told
# description: >-
#   Each call is recorded as the tenant asks for it, redacted by default; answers are held back or carry a notice if
#   it says so.
# custom:
#   on: always; `record`, `response.buffer`, `disclose`
#   needs: []
package countersign.rules.recording

import data.countersign.facts

# METADATA
# title: Content is recorded
# description: >-
#   data.tenants[].record.content (none, digest, redacted or full) and .retention_days; redacted content without another
#   term by default. Asked for on every call, denied ones too.
# custom:
#   rule: recording.content
#   severity: info
#   controls: ["eu_ai_act:12", "eu_ai_act:19", "eu_ai_act:26.6", "gdpr:5.1.c"]
obligations contains obligation if {
	facts.has_content
	obligation := object.union({"type": "record", "content": "redacted"}, object.get(facts.parameters, "record", {}))
}

# METADATA
# title: Answer is held back until it is complete
# description: data.tenants[].response.buffer.
# custom:
#   rule: recording.buffer
#   severity: info
#   controls: ["iso_42001:A.9.4"]
obligations contains {"type": "buffer"} if {
	input.point == "model.response"
	facts.parameters.response.buffer == true
}

# METADATA
# title: User is told that a machine answers
# description: data.tenants[].disclose.
# custom:
#   rule: recording.disclosure
#   severity: info
#   controls: ["eu_ai_act:50.1"]
obligations contains {"type": "disclose", "text": text} if {
	input.point == "model.response"
	text := facts.parameters.disclose
}
