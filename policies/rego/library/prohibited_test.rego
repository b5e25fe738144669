package countersign.rules.prohibited_test

import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.prohibited

call(purpose) := object.union(under("eu_ai_act"), {"purpose": purpose})

test_practices[practice] if {
	some practice in [
		"biometric_categorisation", "child_sexual_abuse_material", "emotion_recognition_at_work", "exploitation_of_vulnerability", "face_scraping", "intimate_imagery_without_consent",
		"predictive_policing", "realtime_biometric_identification", "social_scoring", "subliminal_manipulation",
	]
	count(prohibited.deny) == 1 with input as call({"declared": practice})
	count(prohibited.deny) == 1 with input as object.union(under("eu_ai_act"), {"claimed": {"purpose": practice}})
}

test_risk_class[class] if {
	some class, denied in {"prohibited": 1, "high": 0, "limited": 0, "minimal": 0}
	count(prohibited.deny) == denied with input as call({"eu_risk": class})
	count(prohibited.deny) == denied with input as call({"eu_risk": "minimal"})
		with data.tenants as tenant({"use": {"eu_risk": class}})
}

test_points[point] if {
	some point, denied in {"tool.call": 1, "model.response": 0}
	count(prohibited.deny) == denied with input as object.union(call({"eu_risk": "prohibited"}), {"point": point})
}

test_other_uses if {
	count(prohibited.deny) == 0 with input as call({"declared": "support"})
	count(prohibited.deny) == 0 with input as object.union(base, {"purpose": {"eu_risk": "prohibited"}})
}

test_reason if {
	denials := prohibited.deny with input as call({"eu_risk": "prohibited"})
	some reason in denials
	reason.message == "This use of AI is prohibited in the European Union."
	reason.severity == "critical"
	reason.controls == ["eu_ai_act:5"]
}
