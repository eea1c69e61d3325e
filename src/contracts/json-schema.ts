/** JSON Schema: whatever meets the condition meets the demand too. Says what `if` and `then` say. */
export const implies = <C extends object, D extends object>(condition: C, demand: D) =>
  ({ anyOf: [{ not: condition }, demand] }) as const;

/**
 * A schema for each member of an answer, as `properties` have them. With `satisfies` the compiler refuses a description that lacks a member of
 * the answer, and one of a member that the answer does not have.
 */
export type MembersOf<T> = { readonly [Member in keyof T]-?: object };

/** Gives each schema its name in OpenAPI, as its `title`. Call it once, after all that is made of the schemas by spreading them. */
export function nameSchemas(schemas: Readonly<Record<string, object>>): void {
  for (const [title, schema] of Object.entries(schemas)) Object.assign(schema, { title });
}
