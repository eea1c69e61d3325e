import { randomBytes } from 'node:crypto';
import { createGuardState, type Judgement } from '../../src/guard/state.js';
import { createLeaseClock } from '../../src/lease/index.js';
import { DIMENSIONS, ruleKeyFromBytes, type RuleKey, type SelectorKey } from '../../src/rules/index.js';
import { median, type Row } from './report.js';

const TOKENS = 10_000;
const CHECKS = TOKENS;
const ROUNDS = 9;
/** Characters of a JWT access token with an ES256 signature. */
const TOKEN_LENGTH = 700;
const SELECTORS = 10_000;

const randomKey = (): RuleKey => ruleKeyFromBytes(randomBytes(16));

/** Two users, two clients, an agent and so on: what a token with an ID-JAG has. */
const someSets = (resource: RuleKey): readonly (readonly RuleKey[])[] =>
  DIMENSIONS.map((dimension) =>
    dimension === 'resource'
      ? [resource, randomKey()]
      : dimension === 'agent_type'
        ? [randomKey()]
        : [randomKey(), randomKey()],
  );

const someSelector = (nth: number): SelectorKey => {
  const shapes = [
    ['token'],
    ['session', 'issuer'],
    ['user', 'issuer'],
    ['client', 'resource'],
    ['user', 'client', 'resource'],
  ] as const;
  const dimensions = shapes[nth % shapes.length]!;
  return {
    shape: dimensions.reduce((bits, dimension) => bits | (1 << DIMENSIONS.indexOf(dimension)), 0),
    key: ruleKeyFromBytes(randomBytes(16 * dimensions.length)),
  };
};

/** Measures `check` on a hit: the clock and the state's `find`. Each text is a new string, as a request brings it. */
export async function run(): Promise<readonly Row[]> {
  const moment = createLeaseClock();
  const clock = (): number => moment().withStops;
  const state = createGuardState({ maxTokens: TOKENS });
  const { stream } = state.openStream();
  state.started(stream, 1n, '*', clock());
  const resource = randomKey();
  const texts = Array.from({ length: TOKENS }, () =>
    randomBytes(TOKEN_LENGTH).toString('base64url').slice(0, TOKEN_LENGTH),
  );
  const floorMap = new Map<string, object>();
  let seq = 1n;
  for (let nth = 0; nth < SELECTORS; nth++) state.ruled(stream, ++seq, someSelector(nth));
  renew();
  for (const text of texts) {
    const judgement: Judgement = {
      answer: { state: 'active', claims: {} },
      keep: { seq, keepMs: 600_000, sets: someSets(resource) },
    };
    if (!state.answered(state.ask(clock()), text, judgement, clock())) throw new Error('not kept');
    floorMap.set(text, judgement);
  }

  function renew(): void {
    state.heard(stream, clock());
    state.leaseGranted(state.askLease(clock())!, 600_000);
  }

  /** Texts as a socket brings them: without a hash, and no key of the map. */
  const fresh = (): string[] =>
    Array.from({ length: CHECKS }, (_, nth) =>
      Buffer.from(texts[(nth * 7_919) % TOKENS]!, 'latin1').toString('latin1'),
    );

  function timed(check: (text: string) => unknown): number {
    const asked = fresh();
    // Processor time, not wall time: a check that waits for the processor costs no more.
    const before = process.cpuUsage();
    for (const text of asked) if (check(text) === undefined) throw new Error('a miss');
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / CHECKS;
  }

  const check = (text: string): unknown => state.find(text, clock());
  const [floors, hits, afterOne]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    renew();
    floors.push(timed((text) => floorMap.get(text)));
    state.ruled(stream, ++seq, someSelector(round));
    afterOne.push(timed(check));
    hits.push(timed(check));
  }
  const [floor, hit, searched] = [median(floors), median(hits), median(afterOne)];
  const note = `${TOKENS} tokens of ${TOKEN_LENGTH} characters, ${SELECTORS} selectors remembered`;
  return [
    {
      name: 'guard.check',
      value: hit,
      unit: 'ns',
      floor,
      ratio: hit / floor,
      note: `processor time of a hit, ${note}; floor: Map.get of the same texts`,
    },
    {
      name: 'guard.check.searched',
      value: searched,
      unit: 'ns',
      floor,
      ratio: searched / floor,
      note: 'the same on the first check of each token after a rule that names others',
    },
  ];
}
