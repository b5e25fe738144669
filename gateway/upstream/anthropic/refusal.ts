import { GatewayError } from '../../errors.ts';

/** Refuses a part of a request by name; `param` is OpenAI's field for it. */
export function untranslatable(param: string, expected: string): GatewayError {
  return new GatewayError(
    'invalid_request',
    `"${param}" cannot be sent to this model's provider: expected ${expected}. Change it or choose another model.`,
    { param },
  );
}
