# METADATA
# title: Waivers
# description: >-
#   A waiver lifts one rule's objection, for the calls the gateway says it applies to, and leaves a label in the entry.
#   Rules about who may administer, about what this library cannot read, and critical ones are never lifted.
package countersign.waivers

# METADATA
# title: The objection does not count for this call
lifted(reason) if {
	waivable(reason)
	some waiver in input.waivers
	lifts(waiver, reason)
}

# METADATA
# title: What is recorded of the waivers that were used
labels(objections) := {{"type": "label", "add": sort(used)} |
	used := {$"waiver:{waiver.id}:{reason.rule}" |
		some reason in objections
		waivable(reason)
		some waiver in input.waivers
		lifts(waiver, reason)
	}
	count(used) > 0
}

lifts(waiver, reason) if {
	waiver.applies == true
	waiver.rule == reason.rule
}

waivable(reason) if {
	reason.severity != "critical"
	not startswith(reason.rule, "main.")
	not startswith(reason.rule, "administration.")
}
