import { Type, type Static, type TSchema } from 'typebox';
import { nameSchemas, RescindError } from '../../contracts/index.js';
import { KINDS, NEWS, SEVERITIES } from '../../findings/index.js';
import { MAX_TAGS, TAG } from '../../query/index.js';
import { createInputReader } from '../../registry/index.js';
import type { ChannelKind } from '../channel.js';
import { CHANNEL_KINDS } from '../kinds.js';
import { DELIVERY_STATES } from './answers.js';

const closed = { additionalProperties: false } as const;
export const CHANNEL_NAME = { type: 'string', pattern: '^[a-z0-9-]{1,63}$' } as const;
const NAME = new RegExp(CHANNEL_NAME.pattern);
/** Longest time for which an old secret may go on signing, seconds. */
const MAX_KEEP_S = 30 * 86_400;
export const DEFAULT_KEEP_S = 86_400;

const common = {
  enabled: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether the channel gets news. Those that come while it is off never do.',
    }),
  ),
  severity: Type.Optional(
    Type.Enum([...SEVERITIES], { default: 'info', description: 'Only findings of this severity or a higher one.' }),
  ),
  kinds: Type.Optional(
    Type.Array(Type.Enum([...KINDS]), {
      minItems: 1,
      uniqueItems: true,
      description: 'Only findings of these kinds. Absent: of any.',
    }),
  ),
  news: Type.Optional(
    Type.Array(Type.Enum([...NEWS]), {
      minItems: 1,
      uniqueItems: true,
      description: 'Only these changes of a finding. Absent: all.',
    }),
  ),
  tags: Type.Optional(
    Type.Array(Type.String({ pattern: TAG.pattern }), {
      minItems: 1,
      maxItems: MAX_TAGS,
      uniqueItems: true,
      description:
        'Only findings whose user, client, agent or resource has one of these tags in the directory, also by its team or its owner, when the news are read. Absent: any.',
    }),
  ),
};

const schemaOf = ({ name, means, members }: ChannelKind): TSchema =>
  Type.Object(
    {
      kind: Type.Enum([name]),
      ...Object.fromEntries(Object.entries(members).map(([member, schema]) => [member, Type.Optional(schema)])),
      ...common,
    },
    { ...closed, title: `${name[0]!.toUpperCase()}${name.slice(1)}Channel`, description: means },
  );

/** One schema a kind. A member of the kind that is left out stays as it is, since answers do not show it. */
export const ChannelInput = Type.Unsafe<object>({ oneOf: CHANNEL_KINDS.map(schemaOf) });
export const RotateInput = Type.Object(
  {
    keep_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_KEEP_S,
        default: DEFAULT_KEEP_S,
        description: 'for how long the old secret signs too',
      }),
    ),
  },
  closed,
);
export const ReplayInput = Type.Object(
  {
    delivery: Type.Optional(
      Type.String({ pattern: '^msg_[0-9a-f]{32}_[1-9][0-9]{0,18}$', description: 'id of one delivery' }),
    ),
    state: Type.Optional(Type.Enum([...DELIVERY_STATES], { description: 'all deliveries in this state' })),
  },
  { ...closed, description: 'Exactly one of the two.' },
);
nameSchemas({ ChannelInput, RotateChannelInput: RotateInput, ReplayChannelInput: ReplayInput });

type Common = { [Member in keyof typeof common]?: Static<(typeof common)[Member]> };
export interface ChannelSetting extends Common {
  readonly kind: ChannelKind;
  /** The members of the kind that were given. */
  readonly settings: Readonly<Record<string, string>>;
}

const readers = new Map(CHANNEL_KINDS.map((kind) => [kind.name, createInputReader(schemaOf(kind))]));

/** Reads a setting. Throws `invalid-request`. */
export function readChannel(body: unknown): ChannelSetting {
  const kind = CHANNEL_KINDS.find(({ name }) => name === (body as { kind?: unknown } | undefined)?.kind);
  if (kind === undefined) throw invalid(`\`kind\` is one of ${CHANNEL_KINDS.map(({ name }) => name).join(', ')}`);
  const { enabled, severity, kinds, news, tags, ...rest } = readers.get(kind.name)!(body) as Common &
    Record<string, string>;
  const { kind: _, ...settings } = rest;
  return {
    kind,
    settings,
    ...(enabled === undefined ? {} : { enabled }),
    ...(severity === undefined ? {} : { severity }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(news === undefined ? {} : { news }),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** Refuses members with which a channel of the kind could send nothing. Throws `invalid-request`. */
export function checkSettings(kind: ChannelKind, settings: Readonly<Record<string, string>>): void {
  const lacking = kind.required.filter((member) => settings[member] === undefined);
  if (lacking.length > 0) throw invalid(`a channel of the kind ${kind.name} needs ${lacking.join(', ')}`);
  const problem = kind.check(settings);
  if (problem !== undefined) throw invalid(problem);
}

export const readRotate = createInputReader(RotateInput);
const replay = createInputReader(ReplayInput);

export function readReplay(body: unknown): Static<typeof ReplayInput> {
  const input = replay(body);
  if ((input.delivery === undefined) === (input.state === undefined))
    throw new RescindError('inconsistent-request', { detail: 'give `delivery` or `state`, and not both' });
  return input;
}

/** Throws `not-found` for a text that can be no name. */
export function readName(name: string): string {
  if (!NAME.test(name)) throw notFound();
  return name;
}

/** Throws `invalid-request` for a text that can be no name of a new channel. */
export function readNewName(name: string): string {
  if (!NAME.test(name)) throw invalid('a name has 1 to 63 characters of a-z, 0-9 and -');
  return name;
}

export const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
export const notFound = (): RescindError =>
  new RescindError('not-found', { detail: 'there is no channel of this name' });
