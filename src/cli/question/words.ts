import { Argument, Command, CommanderError, Option } from 'commander';
import { readJson } from '../option-values.js';
import { UsageError } from '../terminal.js';
import { exampleOf } from './help.js';
import type { Question, QuestionInput } from './questions.js';

/** The values of one question, ready to be sent. */
export interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** The words of a line, and its options, each with its value. An id may begin with a hyphen; an option has two. */
interface Line {
  readonly words: readonly string[];
  readonly options: readonly string[];
}

/** Takes a line apart: each option of a question has one value. */
function lineOf(typed: readonly string[]): Line {
  const words: string[] = [];
  const options: string[] = [];
  for (let at = 0; at < typed.length; at += 1) {
    const word = typed[at]!;
    if (word === '--') return { words: [...words, ...typed.slice(at + 1)], options };
    if (word === '-h' || word === '--help' || (word.startsWith('--') && word.includes('='))) options.push(word);
    else if (word.startsWith('--')) options.push(word, ...typed.slice((at += 1), at + 1));
    else words.push(word);
  }
  return { words, options };
}

/** Lists the words of a line that are no options and no values of options. */
export const positionsOf = (typed: readonly string[]): readonly string[] => lineOf(typed).words;

/**
 * Reads the options of a question; undefined if the help was shown. Mistakes are reported as for every other command, with the nearest
 * option.
 */
export function parseQuestion(
  parent: Command,
  question: Question,
  typed: readonly string[],
  shared: readonly Option[],
): Asked | undefined {
  const command = commandOf(parent, question, shared);
  const { words, options } = lineOf(typed);
  let isDone = false;
  command.action(() => {
    isDone = true;
  });
  try {
    command.parse([...options, '--', ...words.slice(question.words.length)], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    throw error;
  }
  return isDone ? askedOf(question, command) : undefined;
}

function commandOf(parent: Command, question: Question, shared: readonly Option[]): Command {
  const name = ['rescind ask', ...question.words].join(' ');
  const command = new Command(name)
    .copyInheritedSettings(parent)
    .helpOption('-h, --help', 'list the options of this question')
    .description([question.summary, question.description].filter(Boolean).join('\n\n'))
    .showHelpAfterError(`(${name} --help lists the options)`)
    .addHelpText('after', exampleOf(question));
  for (const part of question.parts) command.addArgument(new Argument(`<${part.option}>`, part.description));
  for (const option of optionsOf(question)) command.addOption(option);
  for (const option of shared) command.addOption(option.helpGroup('The same for every question:'));
  return command;
}

/** The options of a question, as commander takes them. */
export const optionsOf = ({ options }: Question): readonly Option[] => options.map(optionOf);

function optionOf(input: QuestionInput): Option {
  const option = new Option(`--${input.option} <${valueName(input)}>`, oneLine(input));
  if (input.isRequired) option.makeOptionMandatory();
  if (input.choices !== undefined && input.structure === undefined) option.choices([...input.choices]);
  return option;
}

function oneLine({ description, schema, isRequired, structure, choices }: QuestionInput): string {
  const told = [
    description,
    structure !== undefined && choices !== undefined ? `of ${choices.join(', ')}` : '',
    isRequired ? 'required' : '',
    schema.default === undefined ? '' : `default: ${String(schema.default)}`,
  ];
  return told.filter((part) => part !== '').join('; ');
}

function valueName({ structure, schema, choices, name }: QuestionInput): string {
  if (structure === 'object') return 'json';
  if (structure === 'array') return 'list';
  if (choices !== undefined) return 'choice';
  if (schema.type === 'integer') return name === 'limit' ? 'count' : 'number';
  return 'value';
}

function askedOf(question: Question, command: Command): Asked {
  const values = command.opts<Record<string, string | undefined>>();
  const valueOf = ({ option }: QuestionInput): string | undefined => values[new Option(`--${option}`).attributeName()];
  const given = question.options.filter((input) => valueOf(input) !== undefined);
  const of = (place: QuestionInput['place']): QuestionInput[] => given.filter((input) => input.place === place);
  let path = question.path;
  question.parts.forEach(({ name }, at) => {
    path = path.replace(`{${name}}`, encodeURIComponent(command.args[at]!));
  });
  return {
    path,
    query: Object.fromEntries(of('query').map((input) => [input.name, valueOf(input)!])),
    body:
      question.method === 'get'
        ? undefined
        : Object.fromEntries(of('body').map((input) => [input.name, bodyValue(input, valueOf(input)!)])),
  };
}

/** Reads a member of a body: a list is written with commas or as JSON, a structure as JSON. */
function bodyValue({ structure, option, schema }: QuestionInput, text: string): unknown {
  if (structure === 'array' && !text.trimStart().startsWith('[')) return text.split(',').map((item) => item.trim());
  if (structure !== undefined) return readJson(`--${option}`, text);
  if (schema.type === 'boolean') return text === 'true';
  if (schema.type === 'integer' || schema.type === 'number') {
    const number = Number(text);
    if (text.trim() === '' || Number.isNaN(number)) throw new UsageError(`--${option} is a number`);
    return number;
  }
  return text;
}
