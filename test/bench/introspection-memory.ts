import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { TokenIssued } from '../../src/contracts/index.js';
import type { LineageReader, StoredLineage } from '../../src/projections/index.js';
import { ruleKey, type RuleKey } from '../../src/rules/index.js';
import { createMemoryWorld, type MemoryWorld } from '../conformance/memory-world.js';
import * as parties from '../conformance/parties.js';
import { digestOf, signJwt } from '../conformance/signing.js';
import { createFloor } from './introspection-floor.js';
import { answerOf, heard, interleave, requestOf, rowsOf, type Load } from './introspection-load.js';
import type { Row } from './report.js';

const A_MILLION = 1_000_000;
const TOKENS = Number(process.env['BENCH_TOKENS'] ?? A_MILLION);
const JWTS = 10_000;
const USERS = 100_000;
const CLIENTS = 500;
const ASKED_AT_ONCE = 64;
const ROUNDS = 10;
const ROUND_MS = 500;
const CONNECTIONS = 32;
const MIN_ACTIVE_BYTES = 250;
const GOAL_MB = 800;
const MB = 1024 * 1024;
const HEAP_LIMIT_MB = 900;
const KEY = Buffer.from(parties.TENANT.key, 'base64url');

interface Filled {
  readonly port: number;
  readonly rss: number;
  readonly rssBefore: number;
  readonly heapAToken: number;
  readonly heapAJwt: number;
}

/** A node that holds the facts of a million tokens: its memory, and how fast it answers any of them. */
export async function run(): Promise<readonly Row[]> {
  const now = Math.floor(Date.now() / 1000);
  const child = fork(fileURLToPath(import.meta.url), ['serve', String(now)], {
    execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_LIMIT_MB}`],
  });
  const filled = await heard<Filled>(child);
  const loadOf = (path: string): Load => {
    const authorization = parties.basic('chat-api');
    const next = (): Buffer => requestOf({ path, authorization, token: textOf(Math.floor(Math.random() * TOKENS)) });
    return { port: filled.port, connections: CONNECTIONS, ms: ROUND_MS, minBytes: MIN_ACTIVE_BYTES, next };
  };
  const asked = await interleave(child, { own: loadOf('/introspect'), floor: loadOf('/floor') }, ROUNDS);
  const name = TOKENS === A_MILLION ? 'million' : String(TOKENS);
  const warm = await rowsOf(
    child,
    `introspection.warm.${name}`,
    asked,
    `${TOKENS.toLocaleString('en')} opaque tokens in memory, asked at random; floor as in introspection.warm`,
  );
  child.send('end');
  const note =
    `RSS of the whole process under a heap limit of ${HEAP_LIMIT_MB} MB, ${TOKENS.toLocaleString('en')} opaque tokens of ${USERS.toLocaleString('en')} users in memory; floor: the goal; ` +
    `${Math.round(filled.rssBefore / MB)} MB before; heap a token ${Math.round(filled.heapAToken)} bytes, a verified JWT ${Math.round(filled.heapAJwt)}`;
  return [
    {
      name: 'memory.tokens',
      value: filled.rss / MB,
      unit: 'MB',
      floor: GOAL_MB,
      ratio: filled.rss / MB / GOAL_MB,
      note,
    },
    ...warm,
  ];
}

const textOf = (at: number): string => `at_${String(at).padStart(43, 'x')}`;

/** Makes facts as they come out of JSON: no two tokens share a string. */
const factsAt = (now: number, at: number, identity: Partial<TokenIssued>): TokenIssued =>
  JSON.parse(
    JSON.stringify(
      parties.tokenFacts(now, {
        ...identity,
        exp: now + 3_000,
        sub: `chat-u-${at % USERS}`,
        client_id: `client-${at % CLIENTS}`,
        id_jag: {
          iss: parties.IDP,
          jti: `gr-${at}`,
          sub: `u-${at % USERS}`,
          client_id: `client-${at % CLIENTS}`,
          sid: `s-${at % USERS}`,
          iat: now - 40,
        },
      }),
    ),
  ) as TokenIssued;

/** Says what is recorded of the tokens that are being asked about, and keeps none of it. */
function createReader(now: number): LineageReader & { expect(facts: TokenIssued): void } {
  const asked = new Map<RuleKey, TokenIssued>();
  const stored = { ix: 1n, seenSeq: 1n, conflict: false, parentKey: undefined };
  const keyOf = ({ iss, jti, sha256 }: TokenIssued): RuleKey =>
    ruleKey(KEY, 'token', jti === undefined ? [sha256!] : [iss, jti]);
  function lineageOf(key: RuleKey): StoredLineage | undefined {
    const facts = asked.get(key);
    if (!facts) return undefined;
    asked.delete(key);
    const { jti, sub, client_id, sid } = facts.id_jag!;
    const idJagKey = ruleKey(KEY, 'id_jag', [parties.IDP, jti!]);
    const issued = JSON.parse(
      JSON.stringify(parties.idJagFacts(now, { jti: jti!, sub: sub!, client_id: client_id!, sid: sid! })),
    ) as ReturnType<typeof parties.idJagFacts>;
    return {
      tokens: [{ ...stored, key, source: parties.RAS_SOURCE.id, facts, idJagKey }],
      idJags: [{ ...stored, key: idJagKey, source: parties.IDP_SOURCE.id, facts: issued }],
      complete: true,
      broken: false,
    };
  }
  return {
    expect: (facts) => void asked.set(keyOf(facts), facts),
    tokens: async (_, keys) => keys.map(lineageOf),
    idJags: async (_, keys) => keys.map(() => undefined),
  };
}

async function askAll(world: MemoryWorld, count: number, prepare: (at: number) => string): Promise<void> {
  for (let from = 0; from < count; from += ASKED_AT_ONCE) {
    const texts = Array.from({ length: Math.min(ASKED_AT_ONCE, count - from) }, (_, nth) => prepare(from + nth));
    const answers = await Promise.all(texts.map((text) => world.ask(text)));
    const refused = answers.find(({ body }) => body?.includes('"active":true') !== true);
    if (refused) throw new Error(`not active: ${JSON.stringify(refused)}`);
  }
}

async function serve(now: number): Promise<void> {
  const reader = createReader(now);
  const world = createMemoryWorld({ lineage: reader, maxTokens: TOKENS + JWTS, countIntrospections: true });
  world.now = now;
  const collect = (globalThis as unknown as { gc: () => void }).gc;
  const heap = (): number => (collect(), process.memoryUsage().heapUsed);
  const empty = heap();
  const rssBefore = process.memoryUsage().rss;
  await askAll(world, JWTS, (at) => {
    const facts = factsAt(now, at, { jti: `jwt-${at}` });
    reader.expect(facts);
    return signJwt(parties.rasKey, parties.claimsOf(facts));
  });
  const withJwts = heap();
  await askAll(world, TOKENS, (at) => {
    reader.expect(factsAt(now, at, { sha256: digestOf(textOf(at)) }));
    return textOf(at);
  });
  const withTokens = heap();
  const { rss } = process.memoryUsage();

  const { body } = await world.ask(textOf(0));
  const floor = createFloor(body!);
  const server = createServer((req, res) => (req.url === '/floor' ? floor(req, res) : world.handle(req, res)));
  server.listen(0, '127.0.0.1', () => {
    const filled: Filled = {
      port: (server.address() as AddressInfo).port,
      rss,
      rssBefore,
      heapAToken: (withTokens - withJwts) / TOKENS,
      heapAJwt: (withJwts - empty) / JWTS,
    };
    process.send!(filled);
  });
  process.on('message', (message) => {
    const answer = answerOf(message);
    if (answer === undefined) process.exit(0);
    process.send!(answer);
  });
}

const [role, now] = process.argv.slice(2);
if (role === 'serve' && process.send) await serve(Number(now));
