import { HOST_BUILTINS } from '../wasm/builtins.ts';

/**
 * What policies may use: built-in functions that give the same answer for the same arguments for ever, either compiled
 * into the module or in our host. `policies/compiler/capabilities.json` is this selection from the pinned opa, for
 * `opa build --capabilities` and for editors. Everything else (http.send, net.lookup_ip_addr, rand.intn, time.now_ns,
 * opa.runtime, uuid.rfc4122, …) is an undefined function to a policy.
 */

/** Functions opa compiles into a module. */
const COMPILED = `abs all and any array.concat array.flatten array.reverse array.slice assign base64.decode base64.encode
  base64.is_valid base64url.decode base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat
  contains count div endswith eq equal floor format_int glob.match graph.reachable gt gte indexof internal.member_2
  internal.member_3 internal.template_string intersection is_array is_boolean is_null is_number is_object is_set
  is_string json.filter json.is_valid json.marshal json.remove json.unmarshal lower lt lte max min minus mul neq
  net.cidr_contains net.cidr_intersects net.cidr_overlap numbers.range object.filter object.get object.keys
  object.remove object.union object.union_n or plus product regex.find_all_string_submatch_n regex.is_valid regex.match
  rem replace round set_diff sort split startswith strings.replace_n strings.reverse substring sum to_number trim
  trim_left trim_prefix trim_right trim_space trim_suffix type_name union upper walk`;

/** Functions the compiler resolves itself, or that only tests use. */
const RESOLVED = `rego.metadata.chain rego.metadata.rule print internal.print internal.test_case`;

/** Functions of wasm/builtins.ts (tested). */
const HOSTED = [...HOST_BUILTINS.keys()].join(' ');

interface Capabilities {
  readonly builtins: readonly { readonly name: string }[];
}

/** Selects from the output of `opa capabilities --current`. */
export function selectCapabilities(current: Capabilities): object {
  const allowed = new Set([COMPILED, RESOLVED, HOSTED].flatMap((names) => names.split(/\s+/)));
  return {
    ...current,
    builtins: current.builtins.filter((builtin) => allowed.has(builtin.name)),
    allow_net: [],
    wasm_abi_versions: [1, 2, 3].map((minor) => ({ version: 1, minor_version: minor })),
  };
}
