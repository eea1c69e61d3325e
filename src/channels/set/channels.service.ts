import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { instantText, RescindError, timeText } from '../../contracts/index.js';
import { SEVERITIES } from '../../findings/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { readPage, readParameters } from '../../query/index.js';
import type { ChannelKind, SigningSecret, Told } from '../channel.js';
import { messageId, type Sender } from '../deliver/sender.js';
import { channelKind } from '../kinds.js';
import { generateSigningSecret } from '../kinds/signature.js';
import {
  DELIVERY_STATES,
  type ChangedChannel,
  type Channel,
  type ChannelList,
  type Delivery,
  type DeliveryPage,
  type Replayed,
  type Tried,
} from './answers.js';
import {
  checkSettings,
  DEFAULT_KEEP_S,
  invalid,
  notFound,
  readChannel,
  readName,
  readNewName,
  readReplay,
  readRotate,
} from './inputs.js';
import { StoredChannel } from './stored-channel.entity.js';
import { TEST_FINDING } from './test-finding.js';

const DELIVERIES = loadSql(import.meta.url, 'deliveries.sql');
const COUNT = `SELECT channel, count(*) FILTER (WHERE state = 0) AS waiting, count(*) FILTER (WHERE state = 2) AS dead
  FROM channel_delivery WHERE tenant = $1 AND state <> 1 GROUP BY channel`;
const REPLAY = `UPDATE channel_delivery SET state = 0, attempts = 0, next_ms = $3, done_ms = NULL
  WHERE tenant = $1 AND channel = $2 AND ($4::smallint IS NULL OR state = $4) AND ($5::bigint IS NULL OR seq = $5) RETURNING seq`;
const REMOVE_DELIVERIES = 'DELETE FROM channel_delivery WHERE tenant = $1 AND channel = $2';

/** Channels of one tenant. Each failing receiver holds a connection most of the time. */
const MAX_CHANNELS = 20;
/** A trial may take so long. */
const TRIAL_MS = 20_000;

export interface Writer {
  readonly id: string;
  readonly tenant: string;
}

/** Facts about the process that the service needs. */
export interface ChannelFacts {
  readonly send: Sender;
  /** Returns the seq of a tenant's last news. */
  lastNews(tenant: string): Promise<bigint>;
  /** Returns the key that seals cursors of a tenant. */
  tenantKey(tenant: string): Uint8Array;
  /** Returns the current time in epoch milliseconds. */
  now(): number;
}
export const CHANNEL_FACTS = Symbol('rescind.channel-facts');

/** Changes channels, tries them, and lists and replays their deliveries. */
@Injectable()
export class ChannelsService {
  readonly #channels: Repository<StoredChannel>;
  readonly #facts: ChannelFacts;

  constructor(
    @InjectRepository(StoredChannel) channels: Repository<StoredChannel>,
    @Inject(CHANNEL_FACTS) facts: ChannelFacts,
  ) {
    this.#channels = channels;
    this.#facts = facts;
  }

  async list({ tenant }: Writer): Promise<ChannelList> {
    const stored = await this.#channels.find({ where: { tenant }, order: { name: 'ASC' } });
    const counts = await this.#counts(tenant);
    return { channels: stored.map((channel) => this.#view(channel, counts)) };
  }

  async one({ tenant }: Writer, name: string): Promise<Channel> {
    return this.#shown(await this.#find(tenant, name));
  }

  /** Creates a channel, or replaces its filters and the members that are given. Members of the kind that are left out stay. */
  async put({ id: author, tenant }: Writer, name: string, body: unknown): Promise<ChangedChannel> {
    readNewName(name);
    const {
      kind,
      settings,
      enabled = true,
      severity = 'info',
      kinds = null,
      news = null,
      tags = null,
    } = readChannel(body);
    const before = await this.#channels.findOneBy({ tenant, name });
    if (before !== null && before.kind !== kind.name)
      throw new RescindError('invalid-request', {
        detail: `the channel is of the kind ${before.kind}: remove it before you make one of another kind`,
      });
    const all = { ...before?.settings, ...settings };
    checkSettings(kind, all);
    if (before === null && (await this.#channels.countBy({ tenant })) >= MAX_CHANNELS)
      throw invalid(`a tenant has at most ${MAX_CHANNELS} channels`);
    const secret = before === null && kind.signs ? generateSigningSecret() : undefined;
    const stored: StoredChannel = {
      tenant,
      name,
      id: before?.id ?? randomUUID(),
      kind: kind.name,
      settings: all,
      secrets: before?.secrets ?? (secret === undefined ? [] : [{ secret, untilMs: null }]),
      enabled,
      severity: SEVERITIES.indexOf(severity),
      kinds: kinds === null ? null : [...kinds],
      news: news === null ? null : [...news],
      tags: tags === null ? null : [...tags],
      since: before?.since ?? (await this.#facts.lastNews(tenant)),
      updated_at: Math.floor(this.#facts.now() / 1_000),
      updated_by: author,
    };
    await this.#channels.upsert(stored, ['tenant', 'name']);
    return { ...(await this.#shown(stored)), ...(secret === undefined ? {} : { secret }) };
  }

  /** Removes a channel with its deliveries. */
  async remove({ tenant }: Writer, name: string): Promise<Channel> {
    const stored = await this.#find(tenant, name);
    const shown = await this.#shown(stored);
    await this.#channels.manager.transaction(async (manager) => {
      await manager.query(REMOVE_DELIVERIES, [tenant, stored.id]);
      await manager.delete(StoredChannel, { tenant, name });
    });
    return shown;
  }

  /** Makes another secret. The one before signs too until the time that it is kept has passed. */
  async rotate({ id: author, tenant }: Writer, name: string, body: unknown): Promise<ChangedChannel> {
    const { keep_seconds: keep = DEFAULT_KEEP_S } = readRotate(body ?? {});
    const stored = await this.#find(tenant, name);
    if (!this.#kindOf(stored).signs) throw invalid(`a channel of the kind ${stored.kind} has no secret to rotate`);
    const nowMs = this.#facts.now();
    const secret = generateSigningSecret();
    const [present] = stored.secrets;
    const secrets: readonly SigningSecret[] = [
      { secret, untilMs: null },
      ...(present === undefined || keep === 0 ? [] : [{ secret: present.secret, untilMs: nowMs + keep * 1_000 }]),
    ];
    const changed = { ...stored, secrets, updated_at: Math.floor(nowMs / 1_000), updated_by: author };
    await this.#channels.upsert(changed, ['tenant', 'name']);
    return { ...(await this.#shown(changed)), secret };
  }

  /** Sends a test finding, once and at once. Nothing is recorded. */
  async try({ tenant }: Writer, name: string): Promise<Tried> {
    const stored = await this.#find(tenant, name);
    const beganMs = this.#facts.now();
    const told = {
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      seq: 0n,
      tenant,
      told: 'test',
      atMs: beganMs,
    } as const;
    const outcome = await this.#facts.send(
      stored,
      { ...told, finding: TEST_FINDING(beganMs, stored.id) },
      AbortSignal.timeout(TRIAL_MS),
    );
    const { result, status, problem, answer } = outcome;
    return { delivered: result === 'delivered', status, problem, answer, ms: this.#facts.now() - beganMs };
  }

  async deliveries({ tenant }: Writer, name: string, query: unknown): Promise<DeliveryPage> {
    const parameters = readParameters(query, ['state', 'limit', 'cursor']);
    const page = readPage(`deliveries ${name}`, this.#facts.tenantKey(tenant), parameters);
    const state = parameters.get('state');
    if (state !== undefined && !(DELIVERY_STATES as readonly string[]).includes(state))
      throw invalid(`\`state\` is one of ${DELIVERY_STATES.join(', ')}`);
    const { id } = await this.#find(tenant, name);
    const rows = await this.#channels.manager.query<DeliveryRow[]>(DELIVERIES, [
      tenant,
      id,
      state === undefined ? null : DELIVERY_STATES.indexOf(state as (typeof DELIVERY_STATES)[number]),
      page.after?.[0] ?? null,
      page.limit + 1,
    ]);
    const { shown, next } = page.cut(rows, (last) => [last.seq]);
    return { items: shown.map((row) => deliveryOf(id, row)), ...next };
  }

  /** Makes deliveries wait for an attempt at once, as if none had been made. */
  async replay({ tenant }: Writer, name: string, body: unknown): Promise<Replayed> {
    const { delivery, state } = readReplay(body);
    const { id } = await this.#find(tenant, name);
    const seq = delivery?.slice(delivery.lastIndexOf('_') + 1);
    if (seq !== undefined && delivery !== messageId(id, seq)) throw noDelivery();
    const [rows] = await this.#channels.manager.query<[{ seq: string }[], number]>(REPLAY, [
      tenant,
      id,
      this.#facts.now(),
      state === undefined ? null : DELIVERY_STATES.indexOf(state),
      seq ?? null,
    ]);
    if (seq !== undefined && rows.length === 0) throw noDelivery();
    return { replayed: rows.length };
  }

  async #find(tenant: string, name: string): Promise<StoredChannel> {
    const stored = await this.#channels.findOneBy({ tenant, name: readName(name) });
    if (stored === null) throw notFound();
    return stored;
  }

  #kindOf({ kind }: StoredChannel): ChannelKind {
    const found = channelKind(kind);
    if (found === undefined) throw new RescindError('internal', { cause: new Error(`no kind ${kind} of channels`) });
    return found;
  }

  async #shown(channel: StoredChannel): Promise<Channel> {
    return this.#view(channel, await this.#counts(channel.tenant));
  }

  async #counts(tenant: string): Promise<ReadonlyMap<string, CountRow>> {
    const rows = await this.#channels.manager.query<CountRow[]>(COUNT, [tenant]);
    return new Map(rows.map((row) => [row.channel, row]));
  }

  #view(channel: StoredChannel, counts: ReadonlyMap<string, CountRow>): Channel {
    const count = counts.get(channel.id);
    const oldUntil = channel.secrets[1]?.untilMs ?? 0;
    return {
      name: channel.name,
      kind: channel.kind,
      target: this.#kindOf(channel).shown(channel.settings),
      enabled: channel.enabled,
      severity: SEVERITIES[channel.severity]!,
      kinds: channel.kinds,
      news: channel.news,
      tags: channel.tags,
      old_secret_until: oldUntil > this.#facts.now() ? instantText(oldUntil) : null,
      waiting: Number(count?.waiting ?? 0),
      dead: Number(count?.dead ?? 0),
      updated_at: timeText(channel.updated_at),
      updated_by: channel.updated_by,
    };
  }
}

const noDelivery = (): RescindError =>
  new RescindError('not-found', { detail: 'the channel has no delivery of this id' });

interface CountRow {
  readonly channel: string;
  readonly waiting: string;
  readonly dead: string;
}

interface DeliveryRow {
  readonly seq: string;
  readonly finding: string;
  readonly told: Told;
  readonly at_ms: string;
  readonly state: number;
  readonly attempts: number;
  readonly next_ms: string;
  readonly last_ms: string | null;
  readonly took_ms: number | null;
  readonly status: number | null;
  readonly problem: string | null;
}

function deliveryOf(channel: string, row: DeliveryRow): Delivery {
  const state = DELIVERY_STATES[row.state]!;
  return {
    id: messageId(channel, row.seq),
    finding: row.finding,
    type: `finding.${row.told}`,
    at: instantText(Number(row.at_ms)),
    state,
    attempts: row.attempts,
    next_at: state === 'waiting' ? instantText(Number(row.next_ms)) : null,
    last_at: row.last_ms === null ? null : instantText(Number(row.last_ms)),
    status: row.status,
    problem: row.problem,
    ms: row.took_ms,
  };
}
