import { Option, type Command } from 'commander';
import { createClient, type Answer, type Client } from './client.js';
import { formatRecord, formatTable } from './output.js';
import { findUrl, readSettings, type Settings } from './settings.js';
import type { Terminal } from './terminal.js';

/** The objects that every command works with. */
export interface Context {
  readonly terminal: Terminal;
  /** Reads the key only when a command needs it, so that help needs none. */
  settings(command: Command): Promise<Settings>;
  client(command: Command): Promise<Client>;
  /** Finds the service for what needs no key. */
  url(command: Command): Promise<string>;
  show(command: Command, record: Answer): void;
  /** Prints the answer as `format` writes it, or as JSON with `--json`. */
  showText(command: Command, answer: Answer, format: (answer: Answer) => string): void;
  showTable(command: Command, answer: Answer, member: string, columns: readonly string[]): void;
}

interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly context?: string;
}

export function createContext(terminal: Terminal): Context {
  const options = (command: Command): GlobalOptions => command.optsWithGlobals<GlobalOptions>();
  const print = (command: Command, answer: Answer, text: () => string): void => {
    terminal.out.write(options(command).json === true ? `${JSON.stringify(answer)}\n` : text());
  };
  const settings = (command: Command): Promise<Settings> => readSettings(terminal.env, options(command));
  return {
    terminal,
    settings,
    client: async (command) => createClient(await settings(command)),
    url: (command) => findUrl(terminal.env, options(command)),
    show: (command, record) => print(command, record, () => formatRecord(record)),
    showText: (command, answer, format) => print(command, answer, () => format(answer)),
    showTable: (command, answer, member, columns) =>
      print(command, answer, () => formatTable((answer[member] as readonly Answer[] | undefined) ?? [], columns)),
  };
}

export const urlOption = (): Option =>
  new Option('--url <url>', 'the running service (default: RESCIND_URL, else the one that runs in RESCIND_HOME)');
export const contextOption = (): Option =>
  new Option(
    '--context <name>',
    'a service that `rescind context` knows (default: RESCIND_CONTEXT, else the one in use)',
  );
export const jsonOption = (): Option => new Option('--json', 'print the answer as JSON');
