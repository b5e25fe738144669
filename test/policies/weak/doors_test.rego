package countersign.main_test

import data.countersign.main

ask(request, region) := effect if {
	effect := main.effect with input as {"request": request, "model": {"region": region}}
}

# One call that passes and one that does not: nothing at the limits, nothing about streams.
test_passes if ask({"messages": 3, "stream": false, "bytes": 10}, "eu") == "allow"

test_moon if ask({"messages": 3, "stream": false, "bytes": 10}, "moon") == "deny"
