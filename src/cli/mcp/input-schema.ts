import type { ApiDocument, Schema } from '../question/document.js';
import type { Question, QuestionInput } from '../question/questions.js';

/** The schema of a tool's arguments. No alternatives stand at its top, because some models refuse such a tool. */
export interface InputSchema {
  readonly [name: string]: unknown;
  readonly type: 'object';
  readonly properties: Readonly<Record<string, object>>;
  readonly required: string[];
  readonly additionalProperties: false;
}

const PREFIX = '#/components/schemas/';
/** Deeper schemas accept anything, as do schemas that contain themselves: the service checks each value. */
const MAX_DEPTH = 16;

/** Lists the values that a tool takes: parts of the path, parameters and members of the body, all by the names of the API. */
export const inputsOf = ({ parts, options }: Question): readonly QuestionInput[] => [...parts, ...options];

/** Writes the schema of the arguments of an operation, with every reference replaced by what it names. */
export function inputSchemaOf(document: ApiDocument, inputs: readonly QuestionInput[]): InputSchema {
  const named = document.components?.schemas ?? {};
  const inline = (value: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) return {};
    if (Array.isArray(value)) return value.map((item) => inline(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    const { $ref, ...own } = value as Schema;
    const beside = Object.fromEntries(Object.entries(own).map(([name, member]) => [name, inline(member, depth + 1)]));
    if (!$ref?.startsWith(PREFIX)) return beside;
    return { ...(inline(named[$ref.slice(PREFIX.length)] ?? {}, depth + 1) as object), ...beside };
  };
  return {
    type: 'object',
    properties: Object.fromEntries(
      inputs.map(({ name, schema, description }) => [
        name,
        { ...(inline(schema, 0) as object), ...(description === '' ? {} : { description }) },
      ]),
    ),
    required: inputs.filter(({ isRequired }) => isRequired).map(({ name }) => name),
    additionalProperties: false,
  };
}
