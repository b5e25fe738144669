import { NATIONAL } from './national.ts';
import { PERSONAL } from './personal.ts';
import type { Recognizer } from './recognizer.ts';
import { CLOUD_SECRETS } from './secrets/cloud.ts';
import { GENERAL_SECRETS } from './secrets/general.ts';
import { MODEL_PROVIDER_SECRETS } from './secrets/model-provider.ts';
import { SERVICE_SECRETS } from './secrets/service.ts';
import { SOURCE_HOST_SECRETS } from './secrets/source-host.ts';

/** The strict profile: every recognizer with a bounded match. Private keys stand apart in `private-key.ts`. */
export const STRICT: readonly Recognizer[] = [
  ...PERSONAL,
  ...NATIONAL,
  ...CLOUD_SECRETS,
  ...SOURCE_HOST_SECRETS,
  ...SERVICE_SECRETS,
  ...MODEL_PROVIDER_SECRETS,
  ...GENERAL_SECRETS,
];
