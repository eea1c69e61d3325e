import type { Command } from 'commander';
import { optionCandidates, valuesAfter, type Candidate } from '../candidate.js';

/** The words that a question offers to a line that begins with `rescind ask`. */
export type AskCandidates = (words: readonly string[], typed: string) => Promise<readonly Candidate[]>;

/** Reads the names of the saved contexts. */
export type ContextNames = () => Promise<readonly string[]>;

/** A shell shows one line a word. */
const MAX_MEANING = 80;
/** Only such words are offered: they come from the service too, and a shell must find nothing in them to act on. */
const PLAIN = /^[A-Za-z0-9][\w.:/@=-]*$|^--?[A-Za-z][\w-]*$/;

/** Subcommands that stand for their command: `revoke --user` is `revoke order --user`. Commander has no public name for them. */
const STANDING: Readonly<Record<string, string>> = { revoke: 'order' };

/** Lists the words that can end a command line. `words` are those after `rescind`, the last the one that is being typed. */
export async function candidatesOf(
  program: Command,
  words: readonly string[],
  { ask, contexts }: { readonly ask: AskCandidates; readonly contexts: ContextNames },
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, rest } = commandAt(program, before);
  const isName = before.at(-1) === '--context' || (takesName(command) && rest.length === 0 && !typed.startsWith('-'));
  const isAsked = command.name() === 'ask' && command.parent === program;
  const found = isName
    ? (await contexts()).map((word) => ({ word, meaning: '' }))
    : isAsked
      ? await ask(rest, typed)
      : ownCandidates(command, rest, typed);
  const once = new Map(found.map((candidate) => [candidate.word, candidate]));
  return [...once.values()]
    .filter(({ word }) => word.startsWith(typed) && PLAIN.test(word))
    .map(({ word, meaning }) => ({ word, meaning: oneLine(meaning) }));
}

/** Says whether the command takes the name of a saved context. */
const takesName = (command: Command): boolean =>
  command.parent?.name() === 'context' && ['use', 'remove'].includes(command.name());

const oneLine = (text: string): string => {
  const line = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
  return line.length > MAX_MEANING ? `${line.slice(0, MAX_MEANING - 1)}…` : line;
};

/** Follows the names of commands; the words after the last one are its own. */
function commandAt(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program;
  let used = 0;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    used += 1;
  }
  return { command, rest: words.slice(used) };
}

function ownCandidates(command: Command, rest: readonly string[], typed: string): readonly Candidate[] {
  const help = command.createHelp();
  const standing = command.commands.find((one) => one.name() === STANDING[command.name()]);
  const options = [command, ...(standing === undefined ? [] : [standing])].flatMap((one) => help.visibleOptions(one));
  const values = valuesAfter(options, rest);
  if (values !== undefined) return values;
  if (typed.startsWith('-')) return optionCandidates(options);
  const commands = rest.length > 0 ? [] : help.visibleCommands(command);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [
    ...commands.map((one) => ({ word: one.name(), meaning: one.description() })),
    ...choices.map((word) => ({ word, meaning: '' })),
  ];
}
