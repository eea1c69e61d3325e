import { printable } from '../output.js';
import { METHODS, type ApiDocument, type Method, type Operation, type Parameter, type Schema } from './document.js';
import { createSchemas, type Schemas } from './schema.js';

const ROOT = '/v1/';
const JSON_TYPE = 'application/json';

/** One value that a question takes: a part of its path, a parameter, or a member of its body. */
export interface QuestionInput {
  /** Its name in the API. */
  readonly name: string;
  /** Its name on the command line: the API's, with hyphens. */
  readonly option: string;
  readonly place: 'path' | 'query' | 'body';
  readonly isRequired: boolean;
  readonly description: string;
  readonly choices: readonly string[] | undefined;
  readonly structure: 'array' | 'object' | undefined;
  readonly schema: Schema;
}

/** An operation of `/v1` that changes nothing, as a command. */
export interface Question {
  /** The literal words of its path: `access counts`. */
  readonly words: readonly string[];
  readonly method: Method;
  readonly path: string;
  readonly group: string;
  readonly summary: string;
  readonly description: string | undefined;
  /** Parts of the path, which follow the words. */
  readonly parts: readonly QuestionInput[];
  readonly options: readonly QuestionInput[];
  readonly answer: Schema | undefined;
  /** Whether the service itself writes the answer as CSV, if `format` says so. */
  readonly writesCsv: boolean;
  /** A request of the documented example. */
  readonly example: string | undefined;
}

export interface Catalogue {
  readonly questions: readonly Question[];
  readonly schemas: Schemas;
}

/** Words of a path, and names of values, that can stand in a command line as they are. */
const PATH = /^\/v1(?:\/(?:[\w.-]+|\{\w+\}))+$/;
const NAME = /^[a-z]\w*$/i;

/** Says whether an operation changes nothing, by its method or by its mark. A file of lines and a stream are no answers to print: `export` writes the one, `watch` the other. */
export const isQuestion = (method: Method, path: string, operation: Operation): boolean =>
  PATH.test(path) && (method === 'get' || operation['x-rescind-reads'] === true) && !isStreamed(operation);

function isStreamed({ responses }: Operation): boolean {
  const content = responses['200']?.content;
  if (content === undefined || content[JSON_TYPE] !== undefined) return false;
  return content['application/x-ndjson'] !== undefined || content['text/event-stream'] !== undefined;
}

/** How texts of the document name its parameters: `user_sub` as the API does, or --user-sub. */
export type Naming = 'members' | 'options';

/** Makes a question of each reading operation of `/v1`. */
export function questionsOf(document: ApiDocument, naming: Naming = 'options'): Catalogue {
  const schemas = createSchemas(document.components?.schemas ?? {});
  const questions = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation !== undefined && isQuestion(method, path, operation)
        ? [questionOf(schemas, method, path, operation, naming)]
        : [];
    }),
  );
  return { schemas, questions: questions.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1)) };
}

/** Reads an operation that is no question as one, so that its values are known in the same way; undefined if there is none. */
export function operationOf(document: ApiDocument, method: Method, path: string): Question | undefined {
  const operation = document.paths[path]?.[method];
  const schemas = createSchemas(document.components?.schemas ?? {});
  return operation && questionOf(schemas, method, path, operation, 'members');
}

/** Names a question as a person types it: `sources check <id>`. */
export const nameOf = ({ words, parts }: Question): string =>
  [...words, ...parts.map(({ option }) => `<${option}>`)].join(' ');

function questionOf(schemas: Schemas, method: Method, path: string, operation: Operation, naming: Naming): Question {
  const segments = path.slice(ROOT.length).split('/');
  const parameters = (operation.parameters ?? []).filter(({ name }) => NAME.test(name));
  const names = new Set(parameters.map(({ name }) => name));
  const told = (text: string): string => (naming === 'options' ? withOptions(plain(text), names) : plain(text));
  const input = (parameter: Parameter, place: QuestionInput['place']): QuestionInput => ({
    name: parameter.name,
    option: optionNameOf(parameter.name),
    place,
    isRequired: parameter.required === true,
    description: told(parameter.description ?? parameter.schema?.description ?? ''),
    choices: schemas.choicesOf(parameter.schema),
    structure: schemas.structureOf(parameter.schema),
    schema: parameter.schema ?? {},
  });
  const of = (place: 'path' | 'query'): QuestionInput[] =>
    parameters.filter((parameter) => parameter.in === place).map((parameter) => input(parameter, place));
  const inPath = new Map(of('path').map((part) => [part.name, part]));
  const content = Object.values(operation.responses['200']?.content ?? {});
  const answers = operation.responses['200']?.content ?? {};
  return {
    words: segments.filter((segment) => !segment.startsWith('{')),
    method,
    path,
    group: plain(operation.tags?.[0] ?? 'questions'),
    summary: told(operation.summary ?? ''),
    description: operation.description === undefined ? undefined : told(operation.description),
    parts: segments
      .filter((segment) => segment.startsWith('{'))
      .map((segment) => inPath.get(segment.slice(1, -1)) ?? input({ name: segment.slice(1, -1), in: 'path' }, 'path')),
    options: [...of('query'), ...bodyInputs(schemas, operation).map((parameter) => input(parameter, 'body'))],
    answer: answers[JSON_TYPE]?.schema,
    writesCsv: answers['text/csv'] !== undefined && parameters.some(({ name }) => name === 'format'),
    example: content
      .flatMap(({ examples }) => Object.values(examples ?? {}))
      .map(({ summary }) => /^GET (\S+)$/.exec(summary ?? '')?.[1])
      .find((request) => request !== undefined),
  };
}

const optionNameOf = (name: string): string => name.replaceAll('_', '-');

/** Names parameters as the command line does: `user_sub` is --user-sub. */
const withOptions = (text: string, parameters: ReadonlySet<string>): string =>
  text.replace(/`(\w+)`/g, (quote, name: string) => (parameters.has(name) ? `--${optionNameOf(name)}` : quote));

/** The document comes from outside, as names do. */
const plain = (text: string): string => printable(text.replaceAll('\n', ' '));

function bodyInputs(schemas: Schemas, { requestBody }: Operation): Parameter[] {
  const schema = requestBody?.content[JSON_TYPE]?.schema;
  const required = schemas.requiredOf(schema);
  const members = Object.entries(schemas.propertiesOf(schema)).filter(([name]) => NAME.test(name));
  return members.map(([name, member]) => ({
    name,
    in: 'body',
    required: required.includes(name),
    schema: member,
  }));
}

/** Finds the question that a person typed. Words come first, then the parts of the path. */
export function findQuestion(questions: readonly Question[], typed: readonly string[]): Question | undefined {
  const fitting = questions
    .filter(({ words }) => words.every((word, at) => word === typed[at]))
    .sort((one, other) => other.words.length - one.words.length);
  const longest = fitting.filter(({ words }) => words.length === fitting[0]!.words.length);
  const rest = typed.length - (longest[0]?.words.length ?? 0);
  return (
    longest.find(({ parts }) => parts.length === rest) ?? longest.sort((a, b) => b.parts.length - a.parts.length)[0]
  );
}
