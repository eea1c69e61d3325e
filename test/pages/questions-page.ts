import { createControlLog } from '../../src/control/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { type Log } from '../../src/platform/log/index.js';
import { createPool, runMigrations } from '../../src/platform/postgres/index.js';
import { DEFAULT_TENANT } from '../../src/registry/index.js';
import { startSeededApi, type SeededApi } from '../support/seeded-api.js';
import { ASKED, type AskedQuestion } from './asked.js';
import { exampleOf, format, shorten, withoutUuids } from './shorten.js';

/** Path of the page. */
export const PAGE = 'src/query/questions.md';
/** Path of the same answers for OpenAPI, by the path as OpenAPI writes it. */
export const EXAMPLES = 'src/query/documents/examples.json';
export const EVENTS = 6_000;
export const DAYS = 9;
/** 2026-11-20T18:00:00Z. */
export const END = Date.UTC(2026, 10, 20, 18) / 1000;

/** Ids of tokens and cursors come of the tenant's key: with this one they are the same in every run. */
const TENANT = {
  id: '0d000000-0000-4000-8000-000000000000',
  name: DEFAULT_TENANT,
  key: Buffer.alloc(32, 7).toString('base64url'),
};

export interface Page {
  readonly text: string;
  readonly examples: string;
  /** Paths of the API that it has an example of, as OpenAPI writes them. */
  readonly paths: readonly string[];
  readonly documented: readonly string[];
}

/** Seeds a small organisation into an empty database, asks every question over HTTP, and writes down what came. */
export async function makeQuestionsPage({
  databaseUrl,
  log,
}: {
  readonly databaseUrl: string;
  readonly log: Log;
}): Promise<Page> {
  await registerTenant(databaseUrl);
  const api = await startSeededApi({ databaseUrl, log, events: EVENTS, days: DAYS, end: END });
  try {
    const { issuer } = api.seeded.organisation.idp;
    const called = { display_name: 'Invoice reader', owner: 'lucia.ferrari', team: 'Finance' };
    await api.put(`/v1/directory/agents/agent-invoice-reader?iss=${issuer}`, called);
    await api.find();
    const sections: string[] = [];
    const examples: Record<string, { readonly asked: string; readonly answer: unknown }> = {};
    for (const question of ASKED) {
      const { asked, body } = await ask(api, question);
      sections.push(section(question, asked, body));
      examples[question.route] ??= { asked: withoutUuids(asked), answer: exampleOf(body) };
    }
    const { body } = await api.get('/openapi.json');
    const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      path.startsWith('/v1/') && 'get' in methods ? [path] : [],
    );
    return {
      text: `${head()}\n${sections.join('\n')}`,
      examples: `${JSON.stringify(examples, null, 1)}\n`,
      paths: ASKED.map(({ route }) => route),
      documented,
    };
  } finally {
    await api.stop();
  }
}

async function registerTenant(databaseUrl: string): Promise<void> {
  await runMigrations({ url: databaseUrl, migrations: MIGRATIONS });
  const pool = createPool({ url: databaseUrl, max: 1, applicationName: 'page' });
  await createControlLog({ pool }).append({
    records: [{ kind: 'tenant.changed', tenant: TENANT.id, subject: TENANT.id, body: TENANT }],
  });
  await pool.end();
}

async function ask(
  api: SeededApi,
  { path }: AskedQuestion,
): Promise<{ readonly asked: string; readonly body: unknown }> {
  const asked = typeof path === 'string' ? path : await path(api);
  const { status, body } = await api.get(asked);
  if (status !== 200) throw new Error(`${asked}: ${status} ${JSON.stringify(body)}`);
  return { asked, body };
}

const section = ({ title, why }: AskedQuestion, asked: string, body: unknown): string =>
  `## ${title}\n\n${why}\n\n\`\`\`sh\ncurl -H "Authorization: Bearer $RESCIND_KEY" "$RESCIND_URL${withoutUuids(asked)}"\n\`\`\`\n\`\`\`json\n${format(shorten(body))}\n\`\`\`\n`;

const head = (): string => `# Questions

One \`curl\` and its answer for each question of the security team, from a made-up organisation:
\`rescind seed --events ${EVENTS} --days ${DAYS} --end ${new Date(END * 1000).toISOString().replace('.000Z', 'Z')}\`. Written by \`npm run questions\`; a spec asks
again and compares byte by byte. Do not edit.

To ask yourself: \`rescind seed --events 50000\`, then \`rescind serve\`, and in another shell

\`\`\`sh
export RESCIND_URL=http://127.0.0.1:7423 RESCIND_KEY=$(cat .rescind/admin-key)
\`\`\`

Names are the same there; ids and times are your own. **What is cut**: of a list two objects or six words are shown, and how many more there were;
long texts end in \`…\`; what is drawn anew in every deployment (UUIDs, salts, hashes, payloads) stands as \`<uuid>\` or \`…\`. Nothing else is changed.
The incidents that most of these are about, with more questions each: [src/seed](../seed/README.md).
`;
