# METADATA
# title: Countersign baseline
# description: >-
#   The decision at every point of a call, united from the rules of this folder. A point no rule is written for, and an
#   input of another shape than input.schema.json, are denied.
package countersign.main

import data.countersign.facts
import data.countersign.rules.administration
import data.countersign.rules.hosts
import data.countersign.rules.limits
import data.countersign.rules.modalities
import data.countersign.rules.models
import data.countersign.rules.pii
import data.countersign.rules.recording
import data.countersign.rules.residency
import data.countersign.rules.retention
import data.countersign.rules.secrets
import data.countersign.rules.tools
import data.countersign.waivers

# METADATA
# title: Decision
# description: Evaluated once per candidate deployment; see decision.schema.json.
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": sort(reasons),
	"obligations": sort(obligations),
	"user_message": facts.summary(reasons),
}

refusals contains reason if {
	some denied in [
		administration.deny, deny, hosts.deny, limits.deny, modalities.deny, models.deny, pii.deny, residency.deny,
		retention.deny, secrets.deny, tools.deny,
	]
	some reason in denied
}

denials := {reason | some reason in refusals; not waivers.lifted(reason)}

questions := {reason | some reason in models.require_approval; not waivers.lifted(reason)}

effect := "deny" if {
	count(denials) > 0
} else := "require_approval" if {
	count(questions) > 0
} else := "allow"

reasons := denials if {
	effect == "deny"
} else := questions

waived := waivers.labels(refusals | models.require_approval)

# Who is refused has nothing to perform, except that the refusal is recorded. A tenant that only observes is not refused:
# its call goes on with everything that protects it.
obligations := recording.obligations | waived if {
	effect == "deny"
	not observed
} else := {obligation |
	some asked in [
		limits.obligations, pii.obligations, recording.obligations, secrets.obligations, tools.obligations,
		waived,
	]
	some obligation in asked
}

observed if input.mode == "observe"

# METADATA
# title: Nothing is written about this point
# description: A point this library has no rules for is not a point it may allow.
# custom:
#   rule: main.point
#   severity: high
#   controls: ["nist_ai_rmf:GOVERN-1.2"]
deny contains reason if {
	not known_point
	reason := facts.reason(rego.metadata.rule(), "The policy has no rules for this kind of call.", "")
}

known_point if {
	facts.has_content
} else if {
	input.point == "tools.list"
} else if {
	startswith(input.point, "admin.")
}

# METADATA
# title: Facts are not what the policy was written for
# description: >-
#   Another version, a finding of an unknown kind, a model call without a model or a request, or a tool call without a tool.
# custom:
#   rule: main.input
#   severity: high
#   controls: ["nist_ai_rmf:GOVERN-1.2"]
deny contains reason if {
	not well_formed
	reason := facts.reason(rego.metadata.rule(), "The policy could not read the facts of this call.", "")
}

well_formed if {
	input.version == 1
	is_string(input.tenant.id)
	every finding in input.findings { readable(finding) }
	complete
}

readable(finding) if {
	finding.kind in {"pii", "secret", "injection"}
	is_string(finding.type)
	is_array(finding.paths)
}

complete if {
	about_a_model
	is_string(input.model.requested)
	is_array(input.request.urls)
	is_array(input.data.residency)
	scanned
} else if {
	about_a_tool
	is_string(input.tools.call.name)
	scanned
} else if {
	not about_a_model
	not about_a_tool
}

scanned if {
	every part in input.unscanned { is_string(part.path) }
}

about_a_model if startswith(input.point, "model.")

about_a_tool if input.point in {"tool.call", "tool.result"}
