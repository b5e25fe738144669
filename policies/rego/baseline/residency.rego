# METADATA
# title: Where data is processed
# description: >-
#   A request goes only to models in the regions of the tenant, and data that has to stay somewhere only there. A
#   model whose region nobody declared is nowhere.
# custom:
#   policy: 2
#   on: "`regions`; data that carries a residency"
#   needs: [model.region, model.hosting, data.residency]
package countersign.rules.residency

import data.countersign.facts

# METADATA
# title: Region is not one of the tenant's
# description: With data.tenants[].regions set, the model runs in one of them. An unknown region is not one of them.
# custom:
#   rule: residency.tenant
#   severity: high
#   controls: ["dora:28", "gdpr:44", "gdpr:46"]
deny contains reason if {
	input.point == "model.request"
	regions := facts.parameters.regions
	not runs_in(regions)
	message := $"The model {input.model.requested} runs in a region this tenant does not use."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

# METADATA
# title: Region is not where the data may be
# description: Data that carries a residency is processed there, or on this very host.
# custom:
#   rule: residency.data
#   severity: high
#   controls: ["gdpr:44", "gdpr:46"]
deny contains reason if {
	input.point == "model.request"
	count(input.data.residency) > 0
	not runs_here
	not runs_in(input.data.residency)
	message := $"The data of this call may not be processed in the region of the model {input.model.requested}."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

runs_in(regions) if input.model.region in regions

runs_here if input.model.hosting == "local"
