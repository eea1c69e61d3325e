import { pathOf, type Answer, type Client } from '../client.js';
import { present, readMembers, readMoment } from '../option-values.js';
import { UsageError } from '../terminal.js';

/** Options that select entries other than by index. */
export interface Selection {
  readonly user?: string;
  readonly client?: string;
  readonly agent?: string;
  readonly resource?: string;
  readonly token?: string;
  readonly from?: string;
  readonly to?: string;
  readonly finding?: string;
}

/** Parameters of the API for each member of a name. */
const NAMES = {
  user: { iss: 'user_iss', sub: 'user_sub', tenant: 'user_tenant' },
  client: { iss: 'client_iss', id: 'client_id' },
  agent: { iss: 'agent_iss', id: 'agent_id' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

const ENTITY_ID = /^[0-9]+$/;
/** Lines of a timeline beside uses, which are folded there and come from the list of accesses. */
const TOLD = 'rule,account,connection,denial,conflict,refusal,grant,issued,name';
const MOST_ACCESSES = '1000';
const MOST_LINES = '100';

/** Says which options name what entries are about; none for other selections. */
export const subjectsOf = (selection: Selection): readonly string[] =>
  (['user', 'client', 'agent', 'resource', 'token'] as const).filter((name) => selection[name] !== undefined);

/**
 * Finds the indexes of entries, each once, in ledger order: those that a finding names, or for a subject and a time every use, and the entries
 * that the other lines of its timeline name.
 */
export async function entriesOf(client: Client, selection: Selection): Promise<readonly bigint[]> {
  const found = new Set<bigint>();
  const add = (index: unknown): void => {
    if (typeof index === 'string') found.add(BigInt(index));
  };
  if (selection.finding !== undefined) {
    const { entries } = await client.get(pathOf('findings', selection.finding));
    (entries as readonly unknown[]).forEach(add);
  } else {
    const query = readSubject(selection);
    for await (const item of itemsOf(client, 'access', { ...query, limit: MOST_ACCESSES })) add(item['index']);
    for await (const line of itemsOf(client, 'timeline', { ...query, kind: TOLD, limit: MOST_LINES }))
      add(line['index']);
  }
  return [...found].sort((one, other) => (one < other ? -1 : 1));
}

function readSubject(selection: Selection): Readonly<Record<string, string>> {
  const [name, other] = subjectsOf(selection) as readonly (keyof Selection)[];
  if (name === undefined || other !== undefined)
    throw new UsageError('name one of --user, --client, --agent, --resource and --token');
  // Without a beginning, each question has one of its own, and entries would be missing unnoticed.
  if (selection.from === undefined) throw new UsageError('--from says where the time begins');
  return present({
    ...nameParameters(name, selection[name]!),
    from: readMoment('--from', selection.from),
    to: readMoment('--to', selection.to),
  }) as Readonly<Record<string, string>>;
}

function nameParameters(name: string, text: string): Readonly<Record<string, string>> {
  if (!Object.hasOwn(NAMES, name) || ENTITY_ID.test(text)) return { [name]: text };
  const parameters: Readonly<Record<string, string>> = NAMES[name as keyof typeof NAMES];
  return Object.fromEntries(
    Object.entries(readMembers(text)).map(([member, value]) => {
      const parameter = parameters[member];
      if (parameter === undefined)
        throw new UsageError(`--${name} takes an id, or ${Object.keys(parameters).join('=…,')}=…`);
      return [parameter, value] as const;
    }),
  );
}

async function* itemsOf(
  client: Client,
  question: string,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<Answer> {
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await client.get(pathOf(question), { ...query, cursor });
    yield* page['items'] as readonly Answer[];
    cursor = page['next'] as string | undefined;
  }
}
