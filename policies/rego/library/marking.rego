# METADATA
# title: Generated content is marked
# description: >-
#   Pictures, sound and video are made only by models that mark what they make in a machine-readable way; those carry
#   the tag `marks_output` in the configuration. The entry of the call says what was generated, and so it does for text
#   that everybody may read.
# custom:
#   policy: 13
#   on: framework `eu_ai_act`
#   needs: [request.modalities, model.tags]
package countersign.rules.marking

import data.countersign.facts
import data.countersign.use

# METADATA
# title: What the model is asked to make
media := {medium |
	some modality in input.request.modalities
	startswith(modality, "output:")
	medium := trim_prefix(modality, "output:")
	medium != "text"
}

# METADATA
# title: Model does not mark what it makes
# description: Anything but text, made by a model without the tag `marks_output`.
# custom:
#   rule: marking.provider
#   severity: medium
#   controls: ["eu_ai_act:50.2"]
deny contains reason if {
	input.point == "model.request"
	facts.under({"eu_ai_act"})
	count(media) > 0
	not marked
	message := $"The model {input.model.requested} does not mark what it generates."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

marked if "marks_output" in input.model.tags

# METADATA
# title: Generated content is labelled in the entry
# description: The labels are `generated:<medium>`, and `generated:text` with data.tenants[].use.channel public.
# custom:
#   rule: marking.label
#   severity: info
#   controls: ["eu_ai_act:50.2", "eu_ai_act:50.4"]
obligations contains {"type": "label", "add": labels} if {
	input.point == "model.request"
	facts.under({"eu_ai_act"})
	labels := sort({$"generated:{medium}" | some medium in (media | texts)})
	count(labels) > 0
}

texts := {"text" | use.public}
