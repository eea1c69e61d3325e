import { UsageError } from '../terminal.js';
import type { ApiDocument } from '../question/document.js';
import { operationOf, questionsOf, type Catalogue, type Question, type QuestionInput } from '../question/questions.js';
import type { Asked } from '../question/words.js';
import { inputSchemaOf, inputsOf, type InputSchema } from './input-schema.js';

export type Arguments = Readonly<Record<string, unknown>>;

/** One operation of the API as a tool. */
export interface Tool {
  readonly name: string;
  readonly kind: 'question' | 'preview' | 'order' | 'lift';
  readonly question: Question;
  readonly inputs: readonly QuestionInput[];
  readonly inputSchema: InputSchema;
  readonly description: string;
}

export interface Toolbox {
  readonly catalogue: Catalogue;
  readonly tools: ReadonlyMap<string, Tool>;
}

const PREVIEW_PATH = '/v1/revocations/preview';
const ORDER_PATH = '/v1/revocations';
const LIFT_PATH = '/v1/revocations/{id}/lift';

/** The person is the one that the server was started for, never one that a model names. */
const PERSON = 'on_behalf_of';
/** A tool answers with data; the service writes CSV for files. */
const FORMAT = 'format';

const PREVIEW_FIRST =
  'Preview first, with the same members but `reason` and `confirm`; an order without its preview is refused. Show the person what it hits, and order only what the person asked for.';

/** Makes a tool of each question in the document, and with `canRevoke` of the two orders. */
export function toolsOf(document: ApiDocument, canRevoke: boolean): Toolbox {
  const catalogue = questionsOf(document, 'members');
  const tools = catalogue.questions.map((question) =>
    toolOf(document, question, question.path === PREVIEW_PATH ? 'preview' : 'question', nameOf(question)),
  );
  if (canRevoke) {
    const order = operationOf(document, 'post', ORDER_PATH);
    const lift = operationOf(document, 'post', LIFT_PATH);
    if (order !== undefined) tools.push(toolOf(document, order, 'order', 'order_revocation', PREVIEW_FIRST));
    if (lift !== undefined) tools.push(toolOf(document, lift, 'lift', 'lift_revocation'));
  }
  return { catalogue, tools: new Map(tools.map((tool) => [tool.name, tool])) };
}

/** Names a tool as its question is typed: `access_counts`; one that asks for a thing by its name says so: `sources_by_id`. */
const nameOf = ({ words, parts }: Question): string =>
  [...words, ...(parts.length === 0 ? [] : ['by', ...parts.map(({ name }) => name)])].join('_').replaceAll('-', '_');

function toolOf(document: ApiDocument, question: Question, kind: Tool['kind'], name: string, more?: string): Tool {
  const inputs = inputsOf(question).filter(
    (input) => input.name !== PERSON && !(question.writesCsv && input.name === FORMAT),
  );
  return {
    name,
    kind,
    question,
    inputs,
    inputSchema: inputSchemaOf(document, inputs),
    description: [question.summary, question.description, more].filter(Boolean).join('\n\n'),
  };
}

/** Reads the arguments of a call. The service checks each value; names that it does not know are refused here. */
export function askedOf({ question, inputs, name }: Tool, given: Arguments): Asked {
  const known = inputs.map((input) => input.name);
  const unknown = Object.keys(given).filter((member) => !known.includes(member));
  // The text of an unknown name is not repeated: it may be anything, also a secret.
  if (unknown.length > 0)
    throw new UsageError(`${name} has no such argument (${unknown.length} unknown); it takes ${known.join(', ')}`);
  const missing = inputs.filter((input) => input.isRequired && given[input.name] === undefined);
  if (missing.length > 0) throw new UsageError(`${name} needs ${missing.map((input) => input.name).join(', ')}`);
  const of = (place: QuestionInput['place']): QuestionInput[] =>
    inputs.filter((input) => input.place === place && given[input.name] !== undefined);
  let path = question.path;
  for (const part of of('path')) path = path.replace(`{${part.name}}`, () => segmentOf(part, given));
  return {
    path,
    query: Object.fromEntries(of('query').map((input) => [input.name, textOf(input, given)])),
    body:
      question.method === 'get'
        ? undefined
        : Object.fromEntries(of('body').map((input) => [input.name, given[input.name]])),
  };
}

/** Writes a part of the path. Two names would lead to another path. */
function segmentOf(part: QuestionInput, given: Arguments): string {
  const text = textOf(part, given);
  if (text === '' || text === '.' || text === '..') throw new UsageError(`${part.name} is no name`);
  return encodeURIComponent(text);
}

function textOf({ name }: QuestionInput, given: Arguments): string {
  const value = given[name];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new UsageError(`${name} is a single value`);
}
