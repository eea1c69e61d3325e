import type { Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { present, readMoment } from '../option-values.js';
import { localTime, printable } from '../output.js';

interface ChangeOptions {
  readonly reason?: string;
  readonly until?: string;
  readonly same?: string;
  readonly onBehalfOf?: string;
}

const WHY = 'why; it is kept in the ledger';
const SAME = 'names, separated by commas: user, client, agent, resource, source';

/** Adds the commands that say something of a finding, and the one that lists what was said. */
export function addFindingChanges(findings: Command, context: Context): void {
  const change = (name: string, state: string, description: string, more: (command: Command) => Command): void => {
    more(findings.command(`${name} <id>`).description(`${description} (needs the role revoke for the whole tenant)`))
      .option('--on-behalf-of <person>', 'the person who decided')
      .addOption(urlOption())
      .addOption(jsonOption())
      .action(async (id: string, options: ChangeOptions, command: Command) => {
        const client = await context.client(command);
        const body = present({
          state,
          reason: options.reason,
          until: readMoment('--until', options.until, 'after'),
          same: options.same?.split(','),
          on_behalf_of: options.onBehalfOf,
        });
        context.showText(command, await client.post(pathOf('findings', id), body), stateText);
      });
  };
  change('acknowledge', 'acknowledged', 'say that somebody works on a finding', (command) =>
    command.option('--reason <text>', WHY),
  );
  change('resolve', 'resolved', 'say that a finding is dealt with; new evidence opens it again', (command) =>
    command.option('--reason <text>', WHY),
  );
  change('false-alarm', 'false-alarm', 'say that a finding is none; new evidence opens it again', (command) =>
    command
      .requiredOption('--reason <text>', WHY)
      .option('--until <time>', 'new evidence does not open it before this time'),
  );
  change('mute', 'muted', 'keep a finding from coming up as open until a time', (command) =>
    command
      .requiredOption('--reason <text>', WHY)
      .requiredOption('--until <time>', 'end of the mute: RFC 3339, a date, or a duration from now')
      .option('--same <names>', `mute each finding of its kind that has the same of these ${SAME}`),
  );
  change('reopen', 'open', 'take back what was said of a finding', (command) =>
    command
      .option('--reason <text>', WHY)
      .option('--same <names>', `end the mute of its kind for the same of these ${SAME}`),
  );
  findings
    .command('history <id>')
    .description('list what people said of a finding, the newest first')
    .option('--limit <count>', 'changes on a page, at most 100')
    .option('--cursor <cursor>', '`next` of the page before')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, { limit, cursor }: { limit?: string; cursor?: string }, command: Command) => {
      const client = await context.client(command);
      context.showText(command, await client.get(pathOf('findings', id, 'changes'), { limit, cursor }), historyText);
    });
}

/** Says in a line who said what of a finding; no line if its state is that of the evidence. */
export function saidText(finding: Answer): readonly string[] {
  const { state, state_by: by, state_at: at, reason, muted_until: until } = finding;
  if (by === null) return [];
  const end = until === null ? '' : ` until ${localTime(String(until))}`;
  const why = reason === null ? '' : `: ${printable(String(reason))}`;
  return [`${String(state)}${end}, by ${authorText(by as Answer)}, ${localTime(String(at))}${why}`];
}

const authorText = ({ caller, on_behalf_of: person }: Answer): string =>
  printable(person === undefined ? String(caller) : `${String(person)} (${String(caller)})`);

function stateText(answer: Answer): string {
  const [said = String(answer['state'])] = saidText(answer);
  const { entry } = answer;
  return `${said}\n${entry === null ? '' : `ledger entry ${String(entry)}\n`}`;
}

function historyText(page: Answer): string {
  const items = page['items'] as readonly Answer[];
  if (items.length === 0) return 'Nobody has said anything of this finding.\n';
  const lines = items.map((item) => {
    const { state, reason, until, same, by, at, entry } = item;
    const names =
      (same as readonly string[]).length === 0 ? '' : `, for the same ${(same as readonly string[]).join(', ')}`;
    const [said] = saidText({
      state: `${String(state)}${names}`,
      state_by: by,
      state_at: at,
      reason,
      muted_until: until,
    });
    return `${said!}  (entry ${entry === null ? 'not written yet' : String(entry)})`;
  });
  const more = page['next'] === undefined ? '' : `\nmore: --cursor ${String(page['next'])}\n`;
  return `${lines.join('\n')}\n${more}`;
}
