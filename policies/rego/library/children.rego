# METADATA
# title: Children and pupils
# description: >-
#   A child's data goes only to a provider that neither keeps nor trains on it, and only with a parent's consent. Where a
#   service is made for children, a caller of unknown age is taken for one. Education records stay with providers that do
#   not train on them.
# custom:
#   policy: 24
#   on: framework `coppa`, `ferpa` or `gdpr`
#   needs: ["principal.claims (age_band, parental_consent)", model.retention_days, model.trains_on_data]
package countersign.rules.children

import data.countersign.facts

# METADATA
# title: The caller is a child, or may be one
# description: >-
#   The verified claim `age_band` is under_13 (COPPA), or under_13 or 13_15 (GDPR, whose limit the member states set
#   between 13 and 16). Under COPPA a caller without the claim is a child, unless data.tenants[].children.unknown is adult.
child if {
	facts.under({"coppa", "gdpr"})
	input.principal.claims.age_band == "under_13"
}

child if {
	facts.under({"gdpr"})
	input.principal.claims.age_band == "13_15"
}

child if {
	facts.under({"coppa"})
	not of_age
	not taken_for_adult
}

of_age if input.principal.claims.age_band in {"13_15", "16_17", "adult"}

taken_for_adult if facts.parameters.children.unknown == "adult"

# METADATA
# title: No parent has consented
# description: The verified claim `parental_consent` of a child is "true".
# custom:
#   rule: children.consent
#   severity: high
#   controls: ["coppa:312.5", "gdpr:8"]
deny contains reason if {
	input.point == "model.request"
	child
	not consented
	reason := facts.reason(rego.metadata.rule(), "A parent has to consent before a child may use this.", "")
}

consented if input.principal.claims.parental_consent == "true"

# METADATA
# title: Provider keeps or trains on a child's data
# description: Zero days and a plain no to training; a provider that does not say is taken to do both.
# custom:
#   rule: children.provider
#   severity: high
#   controls: ["coppa:312.10", "coppa:312.8"]
deny contains reason if {
	input.point == "model.request"
	child
	facts.external
	not forgetful
	message := $"The provider of the model {input.model.requested} may keep or train on a child's data."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

forgetful if {
	input.model.retention_days == 0
	input.model.trains_on_data == false
}

# METADATA
# title: Provider trains on education records
# description: A school's provider uses the records only for what they were disclosed for.
# custom:
#   rule: children.education_records
#   severity: high
#   controls: ["ferpa:99.31.a.1", "ferpa:99.33"]
deny contains reason if {
	input.point == "model.request"
	facts.under({"ferpa"})
	facts.external
	not untrained
	message := $"The provider of the model {input.model.requested} may train on education records."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

untrained if input.model.trains_on_data == false
