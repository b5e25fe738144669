import { compareValues, isList, printValue, ValueObject, ValueSet } from '../value.ts';
import type { Value } from '../value.ts';
import { isText, Unsupported } from './builtin.ts';
import type { Charge, HostBuiltin } from './builtin.ts';

/**
 * `json.patch` (RFC 6902) as opa applies it: paths are texts or lists of keys, sets have their members as keys. Where opa's own
 * answer depends on how it keeps its edits (a path through a list that was moved, or through a set that lost members), there is
 * none here.
 */
export const PATCH_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'json.patch': {
    call: ([target, operations], charge) => {
      if (target === undefined || !isList(operations)) return undefined;
      try {
        return patch(target, operations, charge);
      } catch (error) {
        if (error instanceof Failed) return undefined;
        throw error;
      }
    },
  },
};

/** What is an error to opa, so that its function is undefined. */
class Failed extends Error {}

const FUEL_PER_VALUE = 20;

/** A value that is being edited. */
type Node = ListNode | ObjectNode | SetNode | { readonly kind: 'scalar'; readonly value: Value };
interface ListNode {
  readonly kind: 'list';
  /** `at`: where it was in the list as it came; null for one that a patch put there. */
  readonly items: { readonly node: Node; at: number | null }[];
}
interface ObjectNode {
  readonly kind: 'object';
  readonly members: Map<string, { readonly key: Value; readonly node: Node }>;
}
interface SetNode {
  readonly kind: 'set';
  readonly members: Map<string, Value>;
  lost: boolean;
}

interface Root {
  node: Node | null;
  replaced: boolean;
}

function patch(target: Value, operations: readonly Value[], charge: Charge): Value {
  const root: Root = { node: open(target, charge), replaced: false };
  for (const operation of operations) apply(root, readOperation(operation), charge);
  if (root.node === null) throw new Unsupported('json.patch that removes the whole document');
  return close(root.node, charge);
}

interface Operation {
  readonly op: string;
  readonly path: readonly Value[];
  readonly from: readonly Value[];
  readonly value: Value;
}

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

function readOperation(operation: Value): Operation {
  if (!(operation instanceof ValueObject)) throw new Failed();
  const members = new Map(operation.entries.map(([key, value]) => [printValue(key), value]));
  const member = (name: string): Value => {
    const value = members.get(printValue(name));
    if (value === undefined) throw new Failed();
    return value;
  };
  const op = member('op');
  if (!isText(op) || !OPERATIONS.includes(op)) throw new Failed();
  const path = member('path');
  const from = op === 'move' || op === 'copy' ? readPath(member('from')) : [];
  const value = op === 'add' || op === 'replace' || op === 'test' ? member('value') : null;
  return { op, path: readPath(path), from, value };
}

function readPath(path: Value): readonly Value[] {
  if (isList(path)) return path;
  if (!isText(path)) throw new Failed();
  if (path === '') return [];
  return path
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function apply(root: Root, { op, path, from, value }: Operation, charge: Charge): void {
  charge(FUEL_PER_VALUE * (path.length + from.length + 1));
  // opa may end itself at that.
  if (root.replaced) throw new Unsupported('json.patch of a document that was replaced as a whole');
  switch (op) {
    case 'test':
      if (compareValues(valueAt(root, path, charge), value) !== 0) throw new Failed();
      return;
    case 'remove':
      return remove(root, path, charge);
    case 'copy':
      return insert(root, path, valueAt(root, from, charge), charge);
    case 'move': {
      const moved = valueAt(root, from, charge);
      remove(root, from, charge);
      return insert(root, path, moved, charge);
    }
    default:
      if (op === 'replace') remove(root, path, charge);
      return insert(root, path, value, charge);
  }
}

/** The node that a path leads to. */
function walk(root: Root, path: readonly Value[], charge: Charge): Node {
  if (root.node === null) throw path.length === 0 ? new Unsupported('json.patch of a removed document') : new Failed();
  return path.reduce<Node>((node, key) => step(node, key, charge), root.node);
}

function step(node: Node, key: Value, charge: Charge): Node {
  charge(FUEL_PER_VALUE);
  if (node.kind === 'object') return found(node.members.get(printValue(key))).node;
  if (node.kind === 'list') {
    const index = indexOf(node.items.length, key);
    const item = found(node.items[index]);
    // opa looks an item that no patch has touched up where it was before, and takes it for touched from then on.
    if (item.at !== null && item.at !== index) throw new Unsupported('json.patch through a list that was changed');
    item.at = null;
    return item.node;
  }
  if (node.kind === 'scalar') throw new Failed();
  if (node.lost) throw new Unsupported('json.patch through a set that lost members');
  return open(found(node.members.get(printValue(key))), charge);
}

function valueAt(root: Root, path: readonly Value[], charge: Charge): Value {
  return close(walk(root, path, charge), charge);
}

function insert(root: Root, path: readonly Value[], value: Value, charge: Charge): void {
  const key = path.at(-1);
  const node = open(value, charge);
  if (key === undefined) {
    root.node = node;
    root.replaced = true;
    return;
  }
  const parent = walk(root, path.slice(0, -1), charge);
  requireOwn(root, path, charge);
  if (parent.kind === 'object') parent.members.set(printValue(key), { key, node });
  else if (parent.kind === 'list') {
    const index = indexOf(parent.items.length, key);
    if (index < 0 || index > parent.items.length) throw new Failed();
    charge(parent.items.length);
    parent.items.splice(index, 0, { node, at: null });
  } else if (parent.kind === 'set' && compareValues(key, value) === 0) parent.members.set(printValue(key), value);
  else throw new Failed();
}

function remove(root: Root, path: readonly Value[], charge: Charge): void {
  const key = path.at(-1);
  if (key === undefined) {
    if (root.node === null) throw new Failed();
    root.node = null;
    return;
  }
  const parent = walk(root, path.slice(0, -1), charge);
  requireOwn(root, path, charge);
  if (parent.kind === 'list') {
    const index = indexOf(parent.items.length, key);
    if (index < 0 || index >= parent.items.length) throw new Failed();
    charge(parent.items.length);
    parent.items.splice(index, 1);
  } else if (parent.kind === 'scalar' || !parent.members.delete(printValue(key))) throw new Failed();
  else if (parent.kind === 'set') parent.lost = true;
}

/** A member of a set is a value of its own: an edit in it would make it another member. */
function requireOwn(root: Root, path: readonly Value[], charge: Charge): void {
  for (let length = 0; length < path.length - 1; length += 1)
    if (walk(root, path.slice(0, length), charge).kind === 'set')
      throw new Unsupported('json.patch inside a member of a set');
}

function indexOf(length: number, key: Value): number {
  if (typeof key === 'bigint') return Number(key);
  if (key === '-') return length;
  if (!isText(key) || !/^[+-]?\d+$/.test(key) || (key !== '0' && key.startsWith('0'))) throw new Failed();
  return Number(key);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Failed();
  return value;
}

function open(value: Value, charge: Charge): Node {
  charge(FUEL_PER_VALUE);
  if (isList(value)) return { kind: 'list', items: value.map((item, at) => ({ node: open(item, charge), at })) };
  if (value instanceof ValueObject) {
    const members = value.entries.map(([key, item]) => [printValue(key), { key, node: open(item, charge) }] as const);
    return { kind: 'object', members: new Map(members) };
  }
  if (!(value instanceof ValueSet)) return { kind: 'scalar', value };
  return { kind: 'set', members: new Map(value.items.map((item) => [printValue(item), item])), lost: false };
}

function close(node: Node, charge: Charge): Value {
  charge(FUEL_PER_VALUE);
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map((item) => close(item.node, charge));
    case 'object':
      return new ValueObject([...node.members.values()].map((member) => [member.key, close(member.node, charge)]));
    case 'set':
      return new ValueSet([...node.members.values()]);
  }
}
