import type { Command } from 'commander';
import type * as merkleModule from '../../merkle/index.js';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { formatRecord } from '../output.js';

const HELP = `
The key that a service tells is as good as your trust in the service. Compare it with the one you were given, and keep that.
\`rescind verify\` checks evidence with the key alone.
`;

export function addLedgerShow(ledger: Command, context: Context): void {
  ledger
    .command('show', { isDefault: true })
    .description(
      'show the newest signed checkpoint of the ledger, who witnessed it, and its keys (needs the role audit)',
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (_options: unknown, command: Command) => {
      const client = await context.client(command);
      const merkle = await import('../../merkle/index.js');
      context.showText(command, await client.get(pathOf('ledger')), (answer) => ledgerText(merkle, answer));
    });
}

/** A part of the answer with a signed checkpoint. */
interface Head {
  readonly origin?: string;
  readonly size: string;
  readonly root: string;
  readonly at: string;
  readonly note: string;
}

/** A verifier key in the answer. */
interface Key {
  readonly key: string;
  readonly since: string;
  readonly until: string | null;
}

interface Witness {
  readonly name: string;
  readonly size: string;
  readonly at: string | null;
}

/** Loaded when the command runs. */
type Merkle = typeof merkleModule;

function ledgerText(merkle: Merkle, { checkpoint, witnessed, witnesses, keys: listed }: Answer): string {
  if (checkpoint === null) return 'No checkpoint is published yet.\n';
  const { origin, size, root, at, note } = checkpoint as Head;
  const seen = witnessed as Head | null;
  const keys = listed as readonly Key[];
  return formatRecord({
    origin,
    size,
    root,
    signed: isSigned(merkle, note, keys) ? at : 'NOT SIGNED by any of the keys below',
    age: `${Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000))} s`,
    witnessed: seen === null ? 'unwitnessed' : `${seen.size} of ${size} entries, ${seen.at}`,
    ...Object.fromEntries(
      (witnesses as readonly Witness[]).map((one, nth) => [`witness ${nth + 1}`, witnessText(one)]),
    ),
    ...Object.fromEntries(keys.map((key, nth) => [`key ${nth + 1}`, keyText(key)])),
  });
}

const keyText = ({ key, since, until }: Key): string =>
  until === null ? `${key}, since ${since}` : `${key}, from ${since} until ${until}`;

const witnessText = ({ name, size, at }: Witness): string =>
  at === null ? `${name}: has cosigned nothing` : `${name}: ${size} entries, ${at}`;

function isSigned({ findSigners, parseNote, parseVerifierKey }: Merkle, text: string, keys: readonly Key[]): boolean {
  const note = parseNote(text);
  const known = keys.flatMap(({ key }) => parseVerifierKey(key) ?? []);
  return note !== undefined && (findSigners(note, known)?.size ?? 0) > 0;
}
