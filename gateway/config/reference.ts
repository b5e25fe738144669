/** docs/configuration.md, generated from the schema so that it cannot drift from what is accepted. */
import { z } from 'zod';
import { CONFIG_SCHEMA } from './schema.ts';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly secret?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

const INTRODUCTION = `# Configuration

Generated from the schema; do not edit. The file is \`countersign.yaml\`, or what \`--config\` or \`COUNTERSIGN_CONFIG\`
names. Unknown keys are refused. \`\${NAME}\` in a value is replaced by the environment variable NAME, which must be set;
\`$\${\` stands for the characters themselves. \`*\` in a key stands for a name of your choice, \`[]\` for each element of a
list. Money is a quoted decimal in US dollars. Secrets are never printed, logged or recorded.
`;

/** The reference as Markdown: one table per top-level key, one row per setting. */
export function configurationReference(): string {
  const root: SchemaNode = z.toJSONSchema(CONFIG_SCHEMA, { io: 'input' }) as SchemaNode;
  const parts = [INTRODUCTION];
  for (const [name, node] of Object.entries(root.properties ?? {})) {
    const required = root.required?.includes(name) ? ' Required.' : '';
    const rows = settings(name, node).filter((row) => row.key !== name);
    parts.push(`## ${name}\n\n${node.description ?? ''}${required}\n${rows.length === 0 ? '' : `\n${table(rows)}\n`}`);
  }
  return parts.join('\n');
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly standard: string;
  readonly description: string;
}

function table(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = rows.map((row) =>
    line([`\`${row.key}\``, row.type, row.standard, row.description.replaceAll('|', '\\|')]),
  );
  return [line(['key', 'type', 'default', 'meaning']), line(['---', '---', '---', '---']), ...body].join('\n');
}

/** Rows of everything below a node; a node without parts of its own is one row. */
function settings(key: string, node: SchemaNode): Row[] {
  if (node.properties !== undefined) return members(key, node);
  if (node.oneOf !== undefined) return node.oneOf.flatMap((variant) => variantRows(key, variant));
  const row = { key, type: typeName(node), standard: standard(node, false), description: node.description ?? '' };
  if (node.items?.properties !== undefined) return [row, ...members(`${key}[]`, node.items)];
  const values = typeof node.additionalProperties === 'object' ? node.additionalProperties : null;
  if (values?.oneOf !== undefined || values?.properties !== undefined) return settings(`${key}.*`, values);
  return [row];
}

function members(key: string, node: SchemaNode): Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
    const rows = settings(`${key}.${name}`, member);
    const [first, ...rest] = rows;
    const required = node.required?.includes(name) ?? false;
    return first === undefined || member.properties !== undefined
      ? rows
      : [{ ...first, standard: standard(member, required) }, ...rest];
  });
}

/** The settings of one kind of a union, headed by the row of its discriminator. */
function variantRows(key: string, variant: SchemaNode): Row[] {
  const kind = variant.properties?.['kind']?.const ?? '';
  return members(`${key} (${kind})`, variant);
}

function standard(node: SchemaNode, required: boolean): string {
  if (required) return 'required';
  if (node.default === undefined) return 'absent';
  return `\`${JSON.stringify(node.default)}\``;
}

function typeName(node: SchemaNode): string {
  if (node.secret === true) return 'secret';
  if (node.const !== undefined) return `\`${node.const}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : typeName(node.items)}`;
  if (node.type === 'object') return 'mapping';
  if (node.type === 'integer') return integerName(node);
  return node.type ?? 'value';
}

function integerName({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  if (maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return `integer from ${least ?? 'any'}`;
  return `integer ${least ?? ''}–${maximum}`;
}
