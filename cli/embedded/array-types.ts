import type { PostgresType } from 'postgres';

/**
 * The array types our SQL uses, one-dimensional. The driver would ask each new connection for all there are, and a
 * connection that dies during that question takes the process with it: the answer is awaited by nobody.
 */
export const ARRAY_TYPES: Readonly<Record<string, PostgresType>> = {
  booleans: arrayType(1000, (text) => text === 't'),
  names: arrayType(1003, String),
  int4s: arrayType(1007, Number),
  texts: arrayType(1009, String),
  varchars: arrayType(1015, String),
  // As the driver does with single ones: 2^63 does not fit a number.
  int8s: arrayType(1016, String),
};

function arrayType(oid: number, read: (text: string) => unknown): PostgresType {
  return {
    to: oid,
    from: [oid],
    // The ledger hands its arrays over as literals: for it every copy of a value counts.
    serialize: (value: string | Elements) => (typeof value === 'string' ? value : writeArray(value)),
    parse: (text: string) => readArray(text).map((element) => (element === null ? null : read(element))),
  };
}

type Elements = readonly (string | number | bigint | boolean | null)[];

/** A PostgreSQL array literal. Source: PostgreSQL manual, "Array input and output syntax". */
export function writeArray(values: Elements): string {
  const elements = values.map((value) =>
    value === null ? 'NULL' : `"${String(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`,
  );
  return `{${elements.join(',')}}`;
}

/** The elements of a one-dimensional array literal as text. */
export function readArray(text: string): (string | null)[] {
  return [...text.slice(1, -1).matchAll(ELEMENT)].map(([, quoted, bare]) => {
    if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, '$1');
    return bare === undefined || bare === 'NULL' ? null : bare;
  });
}

const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^,]+)/gs;
