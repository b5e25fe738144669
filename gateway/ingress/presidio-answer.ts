/** Answers in the form of Presidio's services: JSON with an `error` when something is wrong, texts as Flask has them. */

/** A whole answer, before it is written to a connection. */
export interface PresidioAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Methods there are, where the one used is not. */
  readonly allow?: string;
}

/** What Flask says of its own accord. */
export const FLASK = {
  malformed: 'The browser (or proxy) sent a request that this server could not understand.',
  unsupported: "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
  notFound:
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  wrongMethod: 'The method is not allowed for the requested URL.',
  internal:
    'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.',
} as const;

export function jsonAnswer(status: number, value: unknown): PresidioAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function errorAnswer(status: number, message: string): PresidioAnswer {
  return jsonAnswer(status, { error: message });
}

/** A text, as Flask sends a string. */
export function textAnswer(text: string): PresidioAnswer {
  return { status: 200, contentType: 'text/html; charset=utf-8', body: text };
}
