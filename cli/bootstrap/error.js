/** Why a clone could not be made ready: expected, found, what to do. Shown without a stack. */
export class BootstrapError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'BootstrapError';
  }
}
