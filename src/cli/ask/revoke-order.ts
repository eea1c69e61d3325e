import { SELECTOR_FORMS, SELECTOR_MEMBERS, type SelectorForm, type SelectorMember } from '../../contracts/index.js';
import { ask, canAsk } from './ask.js';
import { pathOf, RequestFailed, type Answer, type Client } from '../client.js';
import { present, readJson, readMembers, readMoment } from '../option-values.js';
import { formatRecord } from '../output.js';
import {
  counted,
  effectText,
  grouped,
  hitsTable,
  hitsText,
  isByIdentity,
  orderSentence,
  otherRulesText,
  selectorText,
  timeText,
  unknownText,
} from './rule-text.js';
import { UsageError, type Terminal } from '../terminal.js';

type NamedMember = SelectorMember | 'all';
type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

const NAMED_MEMBERS: readonly NamedMember[] = [...SELECTOR_MEMBERS, 'all'];

type OptionHelp = readonly [value: string, help: string];

/** Value and help of the options whose member is no object, where its name says too little. */
const OPTION_HELP: Partial<Record<NamedMember, OptionHelp>> = {
  agent_type: ['<type>', 'agents of this type'],
  resource: ['<url>', 'a resource identifier'],
  issuer: ['<url>', 'an issuer anywhere in the lineage'],
  all: ['', 'everything; needs the role admin and --confirm'],
};

function optionHelp(member: NamedMember): OptionHelp {
  const forms = member === 'all' ? undefined : SELECTOR_FORMS[member];
  if (forms !== undefined) return ['<members>', forms.map(formHelp).join(' or ')];
  return OPTION_HELP[member] ?? ['<name>', `name of the ${member.replaceAll('_', ' ')}`];
}

function formHelp(form: SelectorForm): string {
  const named = (wanted: string): readonly string[] =>
    form.filter(([, need]) => need === wanted).map(([name]) => `${name}=…`);
  return [named('required').join(','), ...named('optional')].join(' and, if there is one, ');
}

/** Lists the options that name what is selected, as commander takes them. */
export const selectorOptions = (): readonly (readonly [flags: string, help: string])[] =>
  NAMED_MEMBERS.map((member) => {
    const [value, help] = optionHelp(member);
    return [`--${member.replaceAll('_', '-')} ${value}`.trimEnd(), help];
  });

const optionOf = (member: string): string => member.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

type MemberOptions = { readonly [M in NamedMember as CamelCase<M>]?: M extends 'all' ? boolean : string };

export interface SelectorOptions extends MemberOptions {
  readonly selector?: string;
  readonly effect?: string;
  readonly before?: string;
  readonly until?: string;
  readonly resume?: boolean;
  readonly reauthenticate?: boolean;
}

export interface OrderOptions extends SelectorOptions {
  readonly reason: string;
  readonly onBehalfOf?: string;
  readonly confirm?: string | true;
  readonly idempotencyKey?: string;
  readonly yes?: boolean;
}

export type OrderBody = Readonly<Record<string, unknown>>;

/** Reads the members that an order and its preview share. */
export function readSelection(options: SelectorOptions): OrderBody {
  const given = options as Readonly<Record<string, string | boolean | undefined>>;
  const named = NAMED_MEMBERS.map((member) => {
    const value = given[optionOf(member)];
    const isIdentifier = member === 'all' || SELECTOR_FORMS[member] === undefined;
    return [member, isIdentifier || value === undefined ? value : readMembers(String(value))] as const;
  });
  const selector = {
    ...(options.selector === undefined ? {} : (readJson('--selector', options.selector) as object)),
    ...present(Object.fromEntries(named)),
  };
  return present({
    selector,
    effect: options.effect,
    before: readMoment('--before', options.before),
    until: readMoment('--until', options.until, 'after'),
    resume: options.resume,
    reauthenticate: options.reauthenticate,
  });
}

export const readOrder = (options: OrderOptions): OrderBody =>
  present({
    ...readSelection(options),
    reason: options.reason,
    on_behalf_of: options.onBehalfOf,
    confirm: readConfirm(options.confirm),
  });

function readConfirm(value: string | true | undefined): true | number | 'uncounted' | undefined {
  if (value === undefined || value === true || value === 'uncounted') return value;
  const digits = value.replaceAll(',', '');
  if (/^\d{1,15}$/.test(digits)) return Number(digits);
  throw new UsageError('--confirm takes the number that the preview says, `uncounted`, or nothing with --all');
}

/** Adds the effect that the service applies if the order names none. */
function actingAs(body: OrderBody): Answer {
  return { ...body, effect: body['effect'] ?? (isByIdentity(body) ? 'revoke' : 'block') };
}

export function previewText(body: OrderBody, preview: Answer): string {
  const unknown = unknownText(preview['unknown']);
  return `${orderSentence(actingAs(body))}\n\n${hitsTable(preview)}\n${unknown === undefined ? '' : `\nWarning: ${unknown}.\n`}`;
}

/**
 * Shows on a terminal what the order would hit, and asks. Resolves with the order to send, or with undefined if the person declines.
 * Without a terminal it resolves with the order as it is.
 */
export async function confirmOnTerminal(
  terminal: Terminal,
  client: Client,
  body: OrderBody,
): Promise<OrderBody | undefined> {
  if (!canAsk(terminal)) return body;
  const { confirm: _, ...previewed } = body;
  const preview = await client.post(pathOf('revocations', 'preview'), previewed).catch((error: unknown) => {
    // The service would refuse the order itself for the same reason.
    if (
      error instanceof RequestFailed &&
      error.problem !== undefined &&
      Number(error.problem['status']) < 500 &&
      error.code !== 'filter-too-wide'
    )
      throw error;
    return undefined;
  });
  const { err } = terminal;
  if (preview === undefined) {
    err.write(`${orderSentence(actingAs(body))}\n\nIt could not be counted what this hits.\n`);
    return (await saysYes(terminal))
      ? { ...body, confirm: body['confirm'] ?? (isEverything(body) ? true : 'uncounted') }
      : undefined;
  }
  err.write(`${previewText(body, preview)}\n`);
  if (isEverything(body) && body['confirm'] === undefined)
    return (await types(terminal, 'This stops everything. To order it, type everything: ', 'everything'))
      ? { ...body, confirm: true }
      : undefined;
  const asked = preview['confirm'] as number | undefined;
  if (asked === undefined || body['confirm'] !== undefined) return (await saysYes(terminal)) ? body : undefined;
  const what = asked === preview['users'] ? 'users' : 'live tokens';
  return (await types(
    terminal,
    `This hits a large share of all ${what}. To order it, type the number of ${what} (${asked}): `,
    String(asked),
  ))
    ? { ...body, confirm: asked }
    : undefined;
}

const isEverything = (body: OrderBody): boolean => (body['selector'] as Answer | undefined)?.['all'] === true;
const saysYes = async (terminal: Terminal): Promise<boolean> =>
  /^y(es)?$/i.test(await ask(terminal, 'Order it? [y/N] '));
const types = async (terminal: Terminal, question: string, wanted: string): Promise<boolean> =>
  (await ask(terminal, question)).replaceAll(',', '').toLowerCase() === wanted;

/** Adds to the refusal of an unconfirmed order which option confirms it. Returns any other error unchanged. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof RequestFailed) || error.code !== 'confirmation-required' || error.problem === undefined)
    return error;
  const { detail, confirm } = error.problem;
  const option = confirm === true ? '--confirm' : `--confirm ${String(confirm)}`;
  return new RequestFailed(
    error.code,
    `${error.code}: ${String(detail).replace(/ (If that is meant|To order it all the same), .*$/, '')}. If that is meant, add ${option} [${error.url}]`.replace(
      '..',
      '.',
    ),
    error.url,
    error.problem,
  );
}

export function orderedText(body: OrderBody, answer: Answer): string {
  const {
    hits,
    confirmed,
    regrant_after: regrantAfter,
  } = answer as {
    hits?: Answer | null;
    confirmed: { nodes: number; guards: number; expired: number };
    regrant_after: string | null;
  };
  const acting = actingAs(body);
  const selects = selectorText(body['selector']);
  const isOfBefore = acting['effect'] === 'revoke' && !isByIdentity(acting);
  const stopped = isOfBefore
    ? `what was granted until ${acting['before'] === undefined ? 'now' : timeText(acting['before'])}: ${selects}`
    : selects;
  const lines = formatRecord({
    rule: answer['id'],
    effect:
      isOfBefore && acting['before'] === undefined
        ? 'revoke of what was granted until now'
        : effectText(acting, { isOrdered: true }),
    hits: hits === undefined ? undefined : hits === null ? 'could not be counted in time' : hitsText(hits),
    'confirmed by': confirmedText(confirmed),
    'granted anew':
      acting['effect'] === 'block' && regrantAfter === null
        ? 'is stopped too'
        : regrantAfter === null
          ? undefined
          : `passes if granted after ${timeText(regrantAfter)}`,
    'to lift it': acting['effect'] === 'block' ? `rescind revoke lift ${String(answer['id'])}` : undefined,
  });
  return `In force after ${String(answer['ms'])} ms: nobody answers active any more for ${stopped}.\n\n${lines}${otherRulesText(answer['other_rules'], 'Other rules stop it too:')}`;
}

export function liftedText(answer: Answer): string {
  const {
    revoke,
    regrant_after: regrantAfter,
    confirmed,
  } = answer as {
    revoke?: string;
    regrant_after: string | null;
    confirmed: { nodes: number; guards: number; expired: number };
  };
  const others = (answer['other_rules'] ?? undefined) as { rules: readonly Answer[] } | undefined;
  const blocks = (others?.rules ?? []).filter(({ effect, stops }) => effect === 'block' && stops === 'all').length;
  const first =
    blocks > 0
      ? `Lifted, but nothing passes yet: ${counted(blocks, 'other block')} ${blocks === 1 ? 'stops' : 'stop'} the same.`
      : 'Lifted.';
  const passes =
    blocks === 0 && typeof regrantAfter === 'string'
      ? `; what is granted after ${timeText(regrantAfter)} passes, as far as no other rule stops it`
      : '';
  const good = blocks === 0 ? ' What was granted before is good again, as far as no other rule stops it.' : '';
  const left = revoke === undefined ? good : ` What was granted before stays revoked${passes}.`;
  return `${first}${left}\n\n${formatRecord({ rule: answer['id'], revoke, 'confirmed by': confirmedText(confirmed) })}${otherRulesText(answer['other_rules'], 'These rules stop it, or a part of it, still:')}`;
}

const confirmedText = ({ nodes, guards, expired }: { nodes: number; guards: number; expired: number }): string =>
  `${counted(nodes, 'node')}, ${counted(guards, 'guard')}${expired === 0 ? '' : `; ${grouped(expired)} had gone and ${expired === 1 ? 'was' : 'were'} waited out`}`;
