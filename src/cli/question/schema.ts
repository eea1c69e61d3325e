import type { Schema } from './document.js';

const PREFIX = '#/components/schemas/';
/** Alternatives inside alternatives that are followed; no answer has more. */
const MAX_DEPTH = 8;

/** Reads the schemas of one document, whose references it follows. */
export interface Schemas {
  /** Lists the members of an object; of several alternatives the members of all. */
  propertiesOf(schema: Schema | undefined): Readonly<Record<string, Schema>>;
  /** Lists the members that an object must have, whichever alternative it is. */
  requiredOf(schema: Schema | undefined): readonly string[];
  /** Finds the schema of the items of an array. */
  itemOf(schema: Schema | undefined): Schema | undefined;
  /** Says whether a value can be an array of objects. */
  isTable(schema: Schema | undefined): boolean;
  /** Says whether a value is a time, RFC 3339. */
  isTime(schema: Schema | undefined): boolean;
  isCount(schema: Schema | undefined): boolean;
  isOpaque(schema: Schema | undefined): boolean;
  /** Lists the values of an enumeration, also of the items of an array; undefined if any value may stand there. */
  choicesOf(schema: Schema | undefined): readonly string[] | undefined;
  /** Says whether a value is an array or an object, which an option takes as JSON. */
  structureOf(schema: Schema | undefined): 'array' | 'object' | undefined;
}

export function createSchemas(named: Readonly<Record<string, Schema>>): Schemas {
  function alternatives(schema: Schema | undefined, depth = 0): readonly Schema[] {
    if (schema === undefined || depth > MAX_DEPTH) return [];
    if (schema.$ref?.startsWith(PREFIX)) return alternatives(named[schema.$ref.slice(PREFIX.length)], depth + 1);
    const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
    return [schema, ...parts.flatMap((part) => alternatives(part, depth + 1))];
  }
  /** The schema, or the one that it refers to, without alternatives. */
  const definitions = (schema: Schema | undefined): readonly Schema[] =>
    schema === undefined
      ? []
      : schema.$ref?.startsWith(PREFIX)
        ? definitions(named[schema.$ref.slice(PREFIX.length)])
        : [schema];
  const has = (schema: Schema, type: string): boolean =>
    schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
  const some = (schema: Schema | undefined, is: (one: Schema) => boolean): boolean => alternatives(schema).some(is);

  const schemas: Schemas = {
    propertiesOf: (schema) =>
      Object.assign(
        {},
        ...alternatives(schema)
          .toReversed()
          .map(({ properties }) => properties ?? {}),
      ) as Record<string, Schema>,
    requiredOf: (schema) => definitions(schema).flatMap(({ required }) => required ?? []),
    itemOf: (schema) => alternatives(schema).find(({ items }) => items !== undefined)?.items,
    isTable: (schema) =>
      some(schema, (one) => has(one, 'array')) && Object.keys(schemas.propertiesOf(schemas.itemOf(schema))).length > 0,
    isTime: (schema) => some(schema, ({ format }) => format === 'date-time'),
    isCount: (schema) => some(schema, (one) => has(one, 'integer') && one.minimum === 0),
    isOpaque: (schema) =>
      some(schema, ({ format, contentEncoding }) => format === 'uuid' || contentEncoding === 'base64'),
    choicesOf(schema) {
      const all = alternatives(schema);
      const values = all.flatMap((one) => one.enum ?? (one.const === undefined ? [] : [one.const]));
      if (values.length > 0 && values.every((value) => typeof value === 'string')) return values;
      if (all.some((one) => has(one, 'boolean'))) return ['true', 'false'];
      const item = schemas.itemOf(schema);
      return item === undefined ? undefined : schemas.choicesOf(item);
    },
    structureOf(schema) {
      if (some(schema, (one) => has(one, 'string'))) return undefined;
      if (some(schema, (one) => has(one, 'array'))) return 'array';
      return some(schema, (one) => has(one, 'object') || one.properties !== undefined) ? 'object' : undefined;
    },
  };
  return schemas;
}
