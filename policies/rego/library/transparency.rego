# METADATA
# title: People are told that a machine answers
# description: >-
#   Where everybody may talk to the application, each answer says that it comes from a machine, with the tenant's own
#   words if it has set some.
# custom:
#   policy: 12
#   on: framework `eu_ai_act`, `ca_bot_act` or `ut_ai_act`, with `use.channel` public
#   needs: []
package countersign.rules.transparency

import data.countersign.facts
import data.countersign.use

# METADATA
# title: Answer says that a machine wrote it
# description: Left to the baseline where data.tenants[].disclose has the text.
# custom:
#   rule: transparency.notice
#   severity: info
#   controls: ["ca_bot_act:17941", "eu_ai_act:50.1", "ut_ai_act:13-75-103"]
obligations contains {"type": "disclose", "text": "You are talking to an AI system, not to a person."} if {
	input.point == "model.response"
	facts.under({"ca_bot_act", "eu_ai_act", "ut_ai_act"})
	use.public
	not facts.parameters.disclose
}
