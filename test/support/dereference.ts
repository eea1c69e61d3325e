const PREFIX = '#/components/schemas/';

/** A copy of what is in a document, with each named schema where its `$ref` stands. Throws for a reference that leads nowhere. */
export function dereference<T>(value: T, schemas: Readonly<Record<string, unknown>>): T {
  const resolve = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(resolve);
    if (typeof part !== 'object' || part === null) return part;
    const { $ref } = part as { $ref?: unknown };
    if (typeof $ref !== 'string')
      return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, resolve(member)]));
    const schema = $ref.startsWith(PREFIX) ? schemas[$ref.slice(PREFIX.length)] : undefined;
    if (schema === undefined) throw new Error(`${$ref} leads nowhere`);
    return resolve(schema);
  };
  return resolve(value) as T;
}
