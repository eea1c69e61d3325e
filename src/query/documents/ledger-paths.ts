/** Describes `/ledger/…`, which is answered in front of the framework (`ledger/ledger-handler.ts`). Formats: C2SP tlog-tiles 0.1.0. */
const text = { type: 'string' } as const;
const plain = { content: { 'text/plain': { schema: text } } };
const bytes = { content: { 'application/octet-stream': { schema: { ...text, format: 'binary' } } } };

const tenant = {
  name: 'tenant',
  in: 'path',
  required: true,
  schema: { ...text, format: 'uuid' },
  description: 'id of the tenant. The path may name an incarnation behind it: `/ledger/{tenant}/{incarnation}/…`',
};

const part = (name: string, required: boolean, schema: object, description: string) => ({
  name,
  in: 'path',
  required,
  schema,
  description,
});

const publicText = (operationId: string, summary: string, description: string) => ({
  get: {
    tags: ['ledger'],
    operationId,
    summary,
    description: `Public. ${description}`,
    parameters: [tenant],
    responses: { 200: { description: summary, ...plain }, 404: { description: 'there is none', ...plain } },
  },
});

const N = { ...text, pattern: '^(x[0-9]{3}/){0,6}[0-9]{3}(\\.p/[1-9][0-9]{0,2})?$' };
const tile = (operationId: string, summary: string, level: readonly object[]) => ({
  get: {
    tags: ['ledger'],
    operationId,
    summary,
    description:
      'Role `audit`, unless the ledger is public (`PUBLIC_LEDGERS`). Immutable, with a strong ETag. Only what the newest published checkpoint covers is served.',
    security: [{ bearer: [] }],
    parameters: [
      tenant,
      ...level,
      part('n', true, N, 'number of the tile in groups of three digits, and `.p/<width>` for a partial one'),
    ],
    responses: {
      200: { description: summary, ...bytes },
      304: { description: 'the tile has not changed' },
      401: { description: 'the key is missing or unknown', ...plain },
      403: { description: 'the caller needs the role audit', ...plain },
      404: { description: 'no published checkpoint covers it, or it is another tenant’s', ...plain },
    },
  },
});

export const LEDGER_PATHS = {
  '/ledger/{tenant}/checkpoint': publicText(
    'ledger-checkpoint',
    'The newest signed checkpoint of a ledger (C2SP tlog-checkpoint)',
    'Origin, size and root of the tree, signed with the keys at `keys`, and cosigned if witnesses have cosigned this very size.',
  ),
  '/ledger/{tenant}/checkpoint.witnessed': publicText(
    'ledger-checkpoint-witnessed',
    'The newest checkpoint that a witness cosigned',
    'It may cover fewer entries than the newest.',
  ),
  '/ledger/{tenant}/keys': publicText(
    'ledger-keys',
    'Verifier keys of the ledger, a line each (C2SP signed-note)',
    'All keys that sign or signed checkpoints, the oldest first. A line is the key, the time since which it signs and, if there is one, the time until which it signs, with a space between them.',
  ),
  '/ledger/{tenant}/tile/{level}/{n}': tile('ledger-tile', 'A tile of hashes of the tree (C2SP tlog-tiles)', [
    part('level', true, { type: 'integer', minimum: 0, maximum: 63 }, '0: leaf hashes'),
  ]),
  '/ledger/{tenant}/tile/entries/{n}': tile('ledger-entries', 'A bundle of up to 256 entries (C2SP tlog-tiles)', []),
};
