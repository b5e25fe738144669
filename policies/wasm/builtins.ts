import type { HostBuiltin } from './builtins/builtin.ts';
import { COLLECTION_BUILTINS } from './builtins/collections.ts';
import { ENCODING_BUILTINS } from './builtins/encoding.ts';
import { GRAPH_BUILTINS } from './builtins/graph.ts';
import { NETWORK_BUILTINS } from './builtins/networks.ts';
import { PATCH_BUILTINS } from './builtins/patch.ts';
import { REGEX_BUILTINS } from './builtins/regex.ts';
import { STRING_BUILTINS } from './builtins/strings.ts';
import { TIME_BUILTINS } from './builtins/time.ts';
import { UNIT_BUILTINS } from './builtins/units.ts';
import { VERSION_BUILTINS } from './builtins/versions.ts';

/**
 * Built-in functions that opa leaves to the host. Each is deterministic: it sees its arguments and nothing else. What
 * needs a network, a clock or chance is not here and is refused when a bundle is built and again when it is loaded.
 */
export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map(
  Object.entries({
    ...COLLECTION_BUILTINS,
    ...ENCODING_BUILTINS,
    ...GRAPH_BUILTINS,
    ...NETWORK_BUILTINS,
    ...PATCH_BUILTINS,
    ...REGEX_BUILTINS,
    ...STRING_BUILTINS,
    ...TIME_BUILTINS,
    ...UNIT_BUILTINS,
    ...VERSION_BUILTINS,
  }),
);
