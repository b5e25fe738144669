import { Buffer } from './buffer.ts';

/** The verifier's sources use Buffer as a global, as Node has it. Imported before any of them. */
Object.assign(globalThis, { Buffer });
