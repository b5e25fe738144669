import { PERSONAL } from './personal.ts';
import { CLOUD_SECRETS, SERVICE_SECRETS } from './secrets.ts';
import type { Recognizer } from './recognizer.ts';

/** The strict profile: every recognizer with a bounded match. Private keys stand apart in `private-key.ts`. */
export const STRICT: readonly Recognizer[] = [...PERSONAL, ...CLOUD_SECRETS, ...SERVICE_SECRETS];
