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
	"reasons": reasons,
	"obligations": obligations,
	"user_message": user_message,
}

effect := "deny" if {
	count(denials) > 0
} else := "require_approval" if {
	count(questions) > 0
} else := "allow"

reasons := [] if {
	effect == "allow"
} else := sort(denials) if {
	effect == "deny"
} else := sort(questions)

# Who is refused has nothing to perform, except that the refusal is recorded. A tenant that only observes is not refused:
# its call goes on with everything that protects it.
obligations := sort(recording.obligations | waivers.labels(objections)) if {
	effect == "deny"
	not observed
} else := sort([obligation | some rules in obligation_sets; some obligation in rules])

observed if input.mode == "observe"

objections := {reason | some rules in rule_sets; some reason in rules} | models.require_approval

denials := {reason | some rules in rule_sets; some reason in rules; not waivers.lifted(reason)}

questions := {reason | some reason in models.require_approval; not waivers.lifted(reason)}

obligation_sets := [
	limits.obligations, pii.obligations, recording.obligations, secrets.obligations, tools.obligations,
	waivers.labels(objections),
]

rule_sets := [
	administration.deny, hosts.deny, limits.deny, modalities.deny, models.deny, pii.deny, residency.deny,
	retention.deny, secrets.deny, deny,
]

messages := sort({reason.message | some reason in reasons})

user_message := "" if {
	effect == "allow"
} else := concat(" ", messages) if {
	count(messages) <= 3
} else := $"{concat(" ", array.slice(messages, 0, 3))} There are {count(messages) - 3} more reasons."

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

known_point if input.point in {"model.request", "model.response"}

known_point if startswith(input.point, "admin.")

# METADATA
# title: Facts are not what the policy was written for
# description: Another version, a finding of an unknown kind, or a model call without a model or a request.
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
	finding.kind in {"pii", "secret"}
	is_string(finding.type)
	is_array(finding.paths)
}

complete if not about_a_model

complete if {
	is_object(input.model)
	is_array(input.request.urls)
	is_array(input.data.residency)
	every part in input.unscanned { is_string(part.path) }
}

about_a_model if startswith(input.point, "model.")
