const PREFIX = '#/components/schemas/';
/** Members of OpenAPI and JSON Schema that hold data, in which a `title` names nothing. */
const DATA: ReadonlySet<string> = new Set(['example', 'examples', 'default', 'const', 'enum', 'value']);
/** Members whose own members are named by the interface, perhaps like a keyword. */
const NAMED_BY_US: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'headers']);

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Moves each schema with a `title` to `components.schemas`, under that name, and puts a `$ref` wherever it stood, so that what is made of the
 * document can name it. A document without its references is the same as before. Throws if two schemas have one name.
 */
export function moveNamedSchemas<P>(paths: P): {
  readonly paths: P;
  readonly schemas: Readonly<Record<string, object>>;
} {
  const named = new Map<string, { readonly schema: object; readonly text: string }>();

  function move(value: Json, isOfNames = false): Json {
    if (Array.isArray(value)) return value.map((item: Json) => move(item));
    if (typeof value !== 'object' || value === null) return value;
    const moved = Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        DATA.has(name) && !isOfNames ? member : move(member, NAMED_BY_US.has(name) && !isOfNames),
      ]),
    );
    const { title } = moved;
    return typeof title === 'string' ? { $ref: refer(title, moved) } : moved;
  }

  function refer(title: string, schema: object): string {
    const text = JSON.stringify(schema);
    const known = named.get(title);
    if (known !== undefined && known.text !== text) throw new Error(`two schemas of the interface are named ${title}`);
    named.set(title, { schema, text });
    return `${PREFIX}${title}`;
  }

  const moved = move(paths as Json) as P;
  const sorted = [...named].sort(([one], [other]) => (one < other ? -1 : 1));
  return { paths: moved, schemas: Object.fromEntries(sorted.map(([name, { schema }]) => [name, schema])) };
}
