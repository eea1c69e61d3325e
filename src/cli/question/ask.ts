import { Option, type Command } from 'commander';
import { contextOption, urlOption, type Context } from '../context.js';
import { UsageError } from '../terminal.js';
import { readDocument } from './document.js';
import { catalogueText } from './help.js';
import { nearest } from './nearest.js';
import { FORMATS, printAnswer, type Format } from './print.js';
import { findQuestion, nameOf, questionsOf, type Catalogue } from './questions.js';
import { parseQuestion, positionsOf } from './words.js';

export interface AskOptions {
  readonly output?: Format;
  readonly json?: boolean;
  readonly all?: boolean;
}

const DESCRIPTION = 'ask what the service knows: graph, access, changes, blast-radius and every other question of /v1';

const HELP = `
\`rescind ask --help\` lists the questions of the service that it speaks to; \`rescind ask access --help\` the options of one.`;

/** Adds `rescind ask`, whose subcommands are the reading operations in the OpenAPI document of the service that is asked. */
export function addAsk(program: Command, context: Context): void {
  program
    .command('ask')
    .description(DESCRIPTION)
    .argument('[question...]', 'the words of the question, and its options')
    // The options of a question are known once the service has said what can be asked.
    .allowUnknownOption()
    .helpOption(false)
    .addHelpText('after', HELP)
    .addOption(outputOption())
    .addOption(new Option('--json', 'the same as -o json').hideHelp())
    .addOption(allOption())
    .addOption(urlOption())
    .addOption(contextOption())
    .action(async (typed: readonly string[], options: AskOptions, command: Command) => {
      const url = await context.url(command);
      const catalogue = questionsOf(await readDocument(url));
      const words = positionsOf(typed);
      const isHelp = typed.includes('--help') || typed.includes('-h');
      if (words.length === 0 && (isHelp || typed.length === 0))
        return void context.terminal.out.write(catalogueText(catalogue, url));
      const question = findQuestion(catalogue.questions, words);
      if (question === undefined) throw unknownQuestion(catalogue, words);
      const asked = parseQuestion(command, question, typed, [
        outputOption(),
        allOption(),
        urlOption(),
        contextOption(),
      ]);
      if (asked === undefined) return;
      const format = options.output ?? (options.json ? 'json' : 'table');
      if (options.all && format !== 'jsonl' && format !== 'csv')
        throw new UsageError('--all writes line by line: add -o jsonl or -o csv');
      await printAnswer(context.terminal, await context.client(command), catalogue, question, asked, {
        format,
        isAll: options.all === true,
      });
    });
}

const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to write the answer (default: table)').choices(FORMATS);
const allOption = (): Option => new Option('--all', 'with -o jsonl or csv: every page, to the end of the list');

function unknownQuestion({ questions }: Catalogue, words: readonly string[]): UsageError {
  if (words.length === 0) return new UsageError('which question? `rescind ask --help` lists them');
  const typed = words.slice(0, 2).join(' ');
  const names = questions.map((question) => question.words.join(' '));
  const near = nearest(typed, names) ?? nearest(words[0]!, names);
  const hint = near === undefined ? '' : `; did you mean \`${near}\`?`;
  return new UsageError(
    `there is no question \`${typed}\`${hint} \`rescind ask --help\` lists them`.replace('` `', '`: `'),
  );
}

export const namesOf = ({ questions }: Catalogue): readonly string[] => questions.map(nameOf);
