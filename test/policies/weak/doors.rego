# METADATA
# title: A door with weak tests
package countersign.main

# METADATA
# title: Decision
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": [],
	"obligations": [],
	"user_message": "",
}

default effect := "deny"

effect := "allow" if {
	input.request.messages < 10
	not blocked
}

blocked if input.model.region in {"moon", "mars"}

blocked if {
	input.request.stream == true
	input.request.bytes > 1000
}
