import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createRuleIndex,
  DIMENSIONS,
  ruleKeyFromBytes,
  selectorKey,
  tokenKeys,
  type Dimension,
  type NewRule,
  type Rule,
  type Selector,
  type TokenKeys,
} from '../../src/rules/index.js';
import { median, type Row } from './report.js';

const RULES = 1_000_000;
const ROUNDS = 9;
const SEARCHES = 20_000;
const TENANT_KEY = Buffer.alloc(32, 1);
const NOW = 1_800_000_000;
/** Kinds of rules that organisations order, each with its share. */
const MIX: readonly (readonly [share: number, dimensions: readonly Dimension[]])[] = [
  [0.4, ['token']],
  [0.2, ['session', 'issuer']],
  [0.15, ['user', 'issuer']],
  [0.1, ['client', 'resource']],
  [0.05, ['id_jag']],
  [0.05, ['user', 'client', 'resource']],
  [0.05, ['user', 'client', 'resource', 'issuer']],
];

interface Measured {
  readonly mb: number;
  readonly fillMs: number;
  readonly missNs: number;
  readonly hitNs: number;
}
type Holder = { put(rule: NewRule): void; isStopped(token: TokenKeys, now: number): boolean };

/** A million live rules in a process of its own: resident memory, and what a search costs, beside plain maps of objects. */
export async function run(): Promise<readonly Row[]> {
  const own = await measure('index');
  const floor = await measure('map');
  const note = `${RULES} rules of ${MIX.length} shapes`;
  return [
    {
      name: 'memory.rules',
      value: own.mb,
      unit: 'MB',
      floor: floor.mb,
      ratio: own.mb / floor.mb,
      note: `RSS after less before, ${note}, put in ${Math.round(own.fillMs)} ms; floor: a Map<string, object> a shape and one by id`,
    },
    {
      name: 'memory.rules.miss',
      value: own.missNs,
      unit: 'ns',
      floor: floor.missNs,
      ratio: own.missNs / floor.missNs,
      note: 'a search for a token of 15 keys that no rule stops; floor: the same search in those maps',
    },
    {
      name: 'memory.rules.hit',
      value: own.hitNs,
      unit: 'ns',
      floor: floor.hitNs,
      ratio: own.hitNs / floor.hitNs,
      note: 'the same for a token that a rule on its user stops',
    },
  ];
}

function measure(holder: string): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [holder], { execArgv: ['--expose-gc'] });
    child.once('message', (measured) => resolve(measured as Measured));
    child.once('exit', (code) => reject(new Error(`the measuring process ended with ${code}`)));
  });
}

function createIndexHolder(): Holder {
  const index = createRuleIndex();
  return { put: (rule) => index.put(rule), isStopped: (token, now) => index.isStopped(token, now) };
}

/** The simplest implementation: objects in maps. */
function createMapHolder(): Holder {
  const byId = new Map<string, NewRule>();
  const shapes = new Map<number, { positions: readonly number[]; rules: Map<string, NewRule> }>();
  const find = (
    positions: readonly number[],
    rules: ReadonlyMap<string, NewRule>,
    token: TokenKeys,
    depth: number,
    prefix: string,
  ): NewRule | undefined => {
    if (depth === positions.length) return rules.get(prefix);
    for (const key of token.sets[positions[depth]!]!) {
      const rule = find(positions, rules, token, depth + 1, prefix + key);
      if (rule) return rule;
    }
    return undefined;
  };
  return {
    put(rule) {
      const { shape: bits, key } = rule.selector;
      const shape = shapes.get(bits) ?? {
        positions: DIMENSIONS.flatMap((_, at) => (bits & (1 << at) ? [at] : [])),
        rules: new Map<string, NewRule>(),
      };
      shapes.set(bits, shape);
      shape.rules.set(key, rule);
      byId.set(rule.id, rule);
    },
    isStopped(token) {
      for (const { positions, rules } of shapes.values()) if (find(positions, rules, token, 0, '')) return true;
      return false;
    },
  };
}

const ruleAt = (nth: number, selector: Rule['selector']): NewRule => ({
  id: randomUUID(),
  seq: BigInt(nth + 1),
  selector,
  effect: nth % 3 === 0 ? 'block' : 'revoke',
  before: NOW,
  asOfOrder: true,
  reauthenticate: false,
});

/** Keys are digests, so random bytes are as good as names. */
function someSelector(nth: number): Rule['selector'] {
  const place = (nth * 0.618_034) % 1;
  let below = 0;
  const [, dimensions] = MIX.find(([share]) => place < (below += share)) ?? MIX[0]!;
  return {
    shape: dimensions.reduce((bits, dimension) => bits | (1 << DIMENSIONS.indexOf(dimension)), 0),
    key: ruleKeyFromBytes(randomBytes(16 * dimensions.length)),
  };
}

const tokenAt = (nth: number): TokenKeys =>
  tokenKeys(TENANT_KEY, {
    tokens: [
      {
        iss: 'https://ras.example',
        jti: `at-${nth}`,
        sub: `local-${nth}`,
        client_id: 'wiki-at-ras',
        aud: ['https://api.example'],
        iat: NOW + 60,
        id_jag: {
          iss: 'https://idp.example',
          jti: `gr-${nth}`,
          sub: `user-${nth}`,
          sid: `s-${nth}`,
          client_id: 'wiki-at-ras',
          agent: { id: 'agent-7', type: 'assistant' },
        },
      },
    ],
    idJags: [
      {
        iss: 'https://idp.example',
        jti: `gr-${nth}`,
        sub: `user-${nth}`,
        aud: ['https://ras.example'],
        idp_client_id: 'wiki',
        client_id: 'wiki-at-ras',
        sid: `s-${nth}`,
        iat: NOW + 60,
      },
    ],
    seenSeq: 1n << 40n,
    skew: 5,
  })!;

async function settledRss(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc!();
    await delay(50);
  }
  return process.memoryUsage.rss();
}

async function fill(name: string): Promise<Measured> {
  const holder = name === 'index' ? createIndexHolder() : createMapHolder();
  const tokens = Array.from({ length: 1_000 }, (_, nth) => tokenAt(nth));
  const before = await settledRss();
  const startedAt = performance.now();
  for (let nth = 0; nth < RULES; nth++) holder.put(ruleAt(nth, someSelector(nth)));
  const fillMs = performance.now() - startedAt;
  const after = await settledRss();
  const missNs = search(holder, tokens, false);
  tokens.forEach((_, nth) => {
    const selector: Selector = {
      user: { iss: 'https://idp.example', sub: `user-${nth}` },
      issuer: 'https://idp.example',
    };
    holder.put({ ...ruleAt(RULES, selectorKey(TENANT_KEY, selector)), effect: 'block' });
  });
  return { mb: (after - before) / 1e6, fillMs, missNs, hitNs: search(holder, tokens, true) };
}

function search(holder: Holder, tokens: readonly TokenKeys[], isHit: boolean): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.hrtime.bigint();
    for (let nth = 0; nth < SEARCHES; nth++) {
      if (holder.isStopped(tokens[nth % tokens.length]!, NOW + 70) !== isHit)
        throw new Error('found what is not there, or not what is');
    }
    return Number(process.hrtime.bigint() - startedAt) / SEARCHES;
  });
  return median(rounds);
}

const holder = process.argv[2];
if (process.send && holder !== undefined) {
  process.send(await fill(holder));
  process.disconnect();
}
