package countersign.rules.hours_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.hours

test_points[point] if {
	some point, denied in {"model.request": 1, "tools.list": 1, "tool.call": 1, "model.response": 0, "admin.keys.list": 0}
	closed := tenant({"hours": {"days": [], "from": 0, "to": 24}})
	count(hours.deny) == denied with input as object.union(base, {"point": point}) with data.tenants as closed
}

test_hours[note] if {
	some note, case in {
		"before": {"hour": 7, "denied": 1},
		"first hour": {"hour": 8, "denied": 0},
		"last hour": {"hour": 17, "denied": 0},
		"after": {"hour": 18, "denied": 1},
	}
	denials := hours.deny with input as changed("time", {"hour_utc": case.hour})
		with data.tenants as tenant({"hours": {"days": ["monday", "tuesday"], "from": 8, "to": 18}})
	count(denials) == case.denied
	every reason in denials {
		reason.rule == "hours.closed"
		reason.message == "This is outside the hours in which the tenant works."
	}
}

test_days if {
	count(hours.deny) == 1 with input as base with data.tenants as tenant({"hours": {"days": ["monday"], "from": 0, "to": 24}})
	count(hours.deny) == 0 with input as base with data.tenants as tenant({"hours": {"days": ["tuesday"], "from": 0, "to": 24}})
}

test_hours_are_for_persons if {
	closed := tenant({"hours": {"days": [], "from": 0, "to": 24}})
	count(hours.deny) == 0 with input as changed("principal", {"type": "service"}) with data.tenants as closed
	count(hours.deny) == 0 with input as base
}
