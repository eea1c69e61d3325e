import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { ask, canAsk } from '../ask/ask.js';
import { pathOf, type Answer, type Client } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { present } from '../option-values.js';
import { formatTable } from '../output.js';

/** Pause between two looks at an erasure that runs, milliseconds. */
const LOOK_MS = 250;
const AGREED = 'erase';

const EXAMPLES = `
An erasure cannot be undone. It deletes the payloads of entries that name the person and nobody else, and replaces the name everywhere else. The tree,
rules and duplicates stay as they are. --preview says what would go, what stays, and which copies it does not reach.

Examples:
  rescind erase user 00u1 --iss https://idp.acme.example --preview
  rescind erase user 00u1 --iss https://idp.acme.example --reason "request 2026-117"
  rescind erase list
`;

interface EraseOptions {
  readonly iss: string;
  readonly tenant?: string;
  readonly reason?: string;
  readonly onBehalfOf?: string;
  readonly preview?: boolean;
  readonly yes?: boolean;
}

export function addErase(program: Command, context: Context, setExitCode: (code: number) => void): void {
  const erase = program
    .command('erase')
    .description('erase a person, GDPR article 17 (needs the role admin)')
    .addHelpText('after', EXAMPLES);

  erase
    .command('user <sub>')
    .description('erase a user, under all names that are this person’s alone; returns when it is done')
    .requiredOption('--iss <issuer>', 'the issuer that names the user so')
    .option('--tenant <claim>', 'the tenant claim, if the issuer states one')
    .option('--reason <text>', 'why; it is kept in the ledger and must not name the person')
    .option('--on-behalf-of <person>', 'the person who decided')
    .option('--preview', 'show what would go and what stays; erase nothing')
    .option('--yes', 'do not show the preview on a terminal, and do not ask')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (sub: string, options: EraseOptions, command: Command) => {
      const { iss, tenant, reason, onBehalfOf, preview: isPreview, yes } = options;
      const user = present({ iss, tenant, sub });
      if (isPreview !== true && reason === undefined) command.error('give --reason, or --preview', { code: 'usage' });
      const client = await context.client(command);
      const preview = () => client.post(pathOf('erasures', 'preview'), { user });
      if (isPreview === true) {
        context.showText(command, await preview(), previewText);
        return;
      }
      const { terminal } = context;
      if (yes !== true && canAsk(terminal)) {
        terminal.err.write(previewText(await preview()));
        if ((await ask(terminal, `This cannot be undone. To erase, type ${AGREED}: `)) !== AGREED) {
          terminal.err.write('Nothing was erased.\n');
          return setExitCode(EXIT.failed[0]);
        }
      }
      const begun = await client.post(pathOf('erasures'), present({ user, reason, on_behalf_of: onBehalfOf }));
      context.showText(command, await whenDone(client, begun), doneText);
    });
  erase
    .command('list')
    .description('list who was erased, by keyed hashes, the newest first')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('erasures')), 'erasures', [
        'asked_at',
        'shown',
        'state',
        'reason',
        'entry',
        'id',
      ]);
    });
}

/** The erasure goes on in the service, whether or not anybody waits. */
async function whenDone(client: Client, begun: Answer): Promise<Answer> {
  let erasure = begun;
  while (erasure['state'] !== 'done') {
    await delay(LOOK_MS);
    erasure = await client.get(pathOf('erasures', String(begun['id'])));
  }
  return erasure;
}

interface Entries {
  readonly erased: number;
  readonly kept: number;
}

function doneText(erasure: Answer): string {
  const { erased, kept } = erasure['entries'] as Entries;
  const stays = kept === 0 ? '' : ` ${kept} entries name somebody else too and keep their payload.`;
  return `Erased. The person is now shown as ${String(erasure['shown'])}. ${erased} entries lost their payload.${stays} The ledger says so in entry ${String(erasure['entry'])}.\n`;
}

type Rows = readonly Answer[];

function previewText(preview: Answer): string {
  const entries = preview['entries'] as Entries & { readonly complete: boolean; readonly kept_first: string[] };
  const names = (member: string): string => (preview[member] as Rows).map(nameText).join(', ');
  const counted = entries.complete ? '' : ' at least (the ledger is too long to be read whole in a preview)';
  const lines = [
    `Names that go: ${names('names')}`,
    ...((preview['shared_names'] as Rows).length === 0
      ? []
      : [`Names that stay, because others have them too: ${names('shared_names')}`]),
    `Entries that lose their payload: ${entries.erased}${counted}`,
    `Entries that keep it, because they name another person too: ${entries.kept}${entries.kept_first.length === 0 ? '' : ` (${entries.kept_first.slice(0, 10).join(', ')})`}`,
    `Files of the archive that are written anew: ${String(preview['archive_files'])}`,
  ];
  const live = Number(preview['live_tokens']);
  if (live > 0)
    lines.push(`Tokens of the person that have not expired: ${live}. Stop them first: rescind revoke --user …`);
  for (const { what, count } of preview['stays'] as Rows) lines.push(`Stays: ${String(count)} × ${String(what)}`);
  return `${lines.join('\n')}\n\n${formatTable(preview['tables'] as Rows, ['table', 'rows', 'does'])}\nCopies that an erasure does not reach:\n${(
    preview['elsewhere'] as Rows
  )
    .map(({ place, ends }) => `- ${String(place)}: ${String(ends)}\n`)
    .join('')}\n`;
}

const nameText = ({ iss, tenant, sub }: Answer): string =>
  `${String(sub)} at ${String(iss)}${tenant === undefined ? '' : ` (tenant ${JSON.stringify(tenant)})`}`;
