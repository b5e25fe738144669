# METADATA
# title: What a provider may do with data
# description: >-
#   Confidential data goes only to providers that delete it in time and do not train on it. A provider that does not
#   say is taken to keep it for ever and to train.
# custom:
#   policy: 3
#   on: always, for data from confidential on; `classification`, `retention` change the terms
#   needs: [model.retention_days, model.trains_on_data, model.hosting, data.classification]
package countersign.rules.retention

import data.countersign.facts

# METADATA
# title: Terms a classification asks of an external provider
# description: >-
#   max_days is the longest retention, training false means the provider must not train on the data. Each of
#   them can be replaced by data.tenants[].retention.<classification>.
defaults("confidential") := {"max_days": 30, "training": false}

defaults("restricted") := {"max_days": 0, "training": false}

term(name) := value if {
	value := facts.parameters.retention[facts.classification][name]
} else := defaults(facts.classification)[name]

# METADATA
# title: Provider keeps the data too long
# description: A provider that does not say how long it keeps data is taken to keep it for ever.
# custom:
#   rule: retention.days
#   severity: high
#   controls: ["gdpr:28", "gdpr:5.1.e", "iso_27001:A.5.19"]
deny contains reason if {
	input.point == "model.request"
	facts.external
	days := term("max_days")
	is_number(days)
	not kept_at_most(days)
	message := $"The provider of the model {input.model.requested} may keep {facts.classification} data too long."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

kept_at_most(days) if {
	is_number(input.model.retention_days)
	input.model.retention_days <= days
}

# METADATA
# title: Provider may train on the data
# description: A provider that does not rule training out is taken to train.
# custom:
#   rule: retention.training
#   severity: high
#   controls: ["gdpr:28", "gdpr:5.1.b", "iso_27001:A.5.20"]
deny contains reason if {
	input.point == "model.request"
	facts.external
	term("training") == false
	not training_ruled_out
	message := $"The provider of the model {input.model.requested} may train on {facts.classification} data."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

training_ruled_out if input.model.trains_on_data == false
