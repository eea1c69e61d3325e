import type { TSchema } from 'typebox';
import { EVENTS, type EventName } from './event-names.js';

interface Shape {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly additionalProperties?: unknown;
}

/**
 * Returns the part of an event's `data` that this release reads: the members that the schema names, at every depth. Other members stay in
 * the payload and are not read, so that a newer producer can speak to an older Rescind. Returns `data` itself if it has no other members.
 * Does not judge values; `validateEventData` does.
 */
export const knownData = (name: EventName, data: unknown): unknown => known(EVENTS[name].data as TSchema & Shape, data);

function known(schema: Shape, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return schema.items === undefined ? value : knownItems(schema.items, value);
  return schema.properties === undefined
    ? value
    : knownMembers(schema, schema.properties, value as Readonly<Record<string, unknown>>);
}

function knownItems(items: Shape, values: readonly unknown[]): readonly unknown[] {
  const read = values.map((value) => known(items, value));
  return read.every((value, at) => value === values[at]) ? values : read;
}

function knownMembers(
  { additionalProperties }: Shape,
  properties: Readonly<Record<string, Shape>>,
  value: Readonly<Record<string, unknown>>,
): unknown {
  const isRead = (name: string): boolean => Object.hasOwn(properties, name) || additionalProperties !== false;
  const read = (name: string): unknown =>
    Object.hasOwn(properties, name) ? known(properties[name]!, value[name]) : value[name];
  const names = Object.keys(value);
  // The case of nearly every event: nothing is copied.
  if (names.every((name) => isRead(name) && read(name) === value[name])) return value;
  return Object.fromEntries(names.filter(isRead).map((name) => [name, read(name)]));
}
