# METADATA
# title: Prohibited practices
# description: >-
#   What Article 5 of the EU AI Act forbids is not served: a use the tenant or the call names as prohibited, or by one of
#   the practices' names. It rests on what is declared; nobody can tell from one request that it is part of a social score.
# custom:
#   policy: 10
#   on: framework `eu_ai_act`
#   needs: [purpose.eu_risk, purpose.declared, purpose.use_case, claimed.purpose]
package countersign.rules.prohibited

import data.countersign.facts
import data.countersign.use

# METADATA
# title: The practices of Article 5(1) by name
practices := {
	"biometric_categorisation", "child_sexual_abuse_material", "emotion_recognition_at_work", "exploitation_of_vulnerability", "face_scraping", "intimate_imagery_without_consent",
	"predictive_policing", "realtime_biometric_identification", "social_scoring", "subliminal_manipulation",
}

# METADATA
# title: Practice is prohibited
# description: The risk class is prohibited, or a purpose is one of the practices.
# custom:
#   rule: prohibited.practice
#   severity: critical
#   controls: ["eu_ai_act:5"]
deny contains reason if {
	input.point in {"model.request", "tool.call"}
	facts.under({"eu_ai_act"})
	prohibited
	reason := facts.reason(rego.metadata.rule(), "This use of AI is prohibited in the European Union.", "/purpose")
}

prohibited if "prohibited" in use.risks

prohibited if {
	some purpose in use.purposes
	purpose in practices
}
