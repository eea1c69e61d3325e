import { Argument, type Command } from 'commander';
import { askCandidates } from '../question/ask-candidates.js';
import type { Context } from '../context.js';
import { readContexts } from '../saved-contexts.js';
import { candidatesOf } from './candidates.js';
import { SCRIPTS, SHELLS, WORDS_COMMAND, type Shell } from './shell-scripts.js';

const HELP = `
The questions after \`rescind ask\` come from the service that is spoken to; without one, they are not completed.

  bash  echo 'eval "$(rescind completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(rescind completion zsh)"' >> ~/.zshrc           (after compinit)
  fish  rescind completion fish > ~/.config/fish/completions/rescind.fish
`;

export function addCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .description('print the script that completes rescind in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => void context.terminal.out.write(SCRIPTS[shell]));
}

export const isWordsCommand = (args: readonly string[]): boolean =>
  WORDS_COMMAND.every((word, at) => word === args[at]);

/** Prints the words that can end a line. It is read before commander sees the line, whose options are not meant for us. */
export async function printWords(program: Command, context: Context, args: readonly string[]): Promise<void> {
  // Bash takes `--output=json` apart at the equals sign.
  const words = args.slice(WORDS_COMMAND.length).filter((word, at, all) => word !== '=' || at === all.length - 1);
  const line = words.at(-1) === '=' ? [...words.slice(0, -1), ''] : words;
  const candidates = await candidatesOf(program, line, {
    ask: (rest, typed) => askCandidates(program, context, rest, typed),
    // A file that is refused completes nothing; the command itself says why.
    contexts: () =>
      readContexts(context.terminal.env).then(
        ({ contexts }) => Object.keys(contexts),
        () => [],
      ),
  });
  for (const { word, meaning } of candidates) context.terminal.out.write(`${word}\t${meaning}\n`);
}
