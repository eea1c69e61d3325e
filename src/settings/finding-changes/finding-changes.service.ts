import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThan, type Repository } from 'typeorm';
import { RescindError } from '../../contracts/index.js';
import type { PoolClient } from '../../platform/postgres/index.js';
import { StoredChange } from './stored-change.entity.js';

/** Times that a change is numbered anew because another one took its number. */
const MAX_ATTEMPTS = 20;
/** Changes that one look for owed entries takes. */
const OWED_AT_ONCE = 100;

type Finding = Pick<StoredChange, 'tenant' | 'finding'>;

/** Stores what people said of findings. Rows are added, and told once; none is ever changed otherwise or removed. */
@Injectable()
export class FindingChanges {
  readonly #changes: Repository<StoredChange>;

  constructor(@InjectRepository(StoredChange) changes: Repository<StoredChange>) {
    this.#changes = changes;
  }

  /**
   * Adds a change, with the next number of its tenant, and runs `also` in its transaction. Rejects with `edit-conflict` if others are always
   * faster.
   */
  async add(change: Omit<StoredChange, 'nth'>, also: (client: PoolClient) => Promise<void>): Promise<StoredChange> {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const row = await this.#changes.manager.transaction(async (manager) => {
        const added = await insertNext(manager.getRepository(StoredChange), change);
        if (added !== undefined) await also((await manager.queryRunner!.connect()) as PoolClient);
        return added;
      });
      if (row !== undefined) return row;
    }
    throw new RescindError('edit-conflict', { retryable: true });
  }

  /** Finds the newest change of a finding. */
  newest({ tenant, finding }: Finding): Promise<StoredChange | null> {
    return this.#changes.findOne({ where: { tenant, finding }, order: { nth: 'DESC' } });
  }

  /** Lists the changes of a finding with numbers below `below`, the newest first. */
  list(
    { tenant, finding }: Finding,
    { below, limit }: { readonly below: number; readonly limit: number },
  ): Promise<StoredChange[]> {
    return this.#changes.find({
      where: { tenant, finding, nth: LessThan(below) },
      order: { nth: 'DESC' },
      take: limit,
    });
  }

  /** Lists the oldest changes of a tenant that still lack their ledger entry. */
  owed(tenant: string): Promise<StoredChange[]> {
    return this.#changes.find({ where: { tenant, entry: IsNull() }, order: { nth: 'ASC' }, take: OWED_AT_ONCE });
  }

  /** Notes the ledger entry of a change. */
  async told({ tenant, nth }: Pick<StoredChange, 'tenant' | 'nth'>, entry: bigint): Promise<void> {
    await this.#changes.update({ tenant, nth }, { entry: String(entry) });
  }
}

/** Adds a change with the next number of its tenant; undefined if another one took the number. */
async function insertNext(
  changes: Repository<StoredChange>,
  change: Omit<StoredChange, 'nth'>,
): Promise<StoredChange | undefined> {
  const nth = ((await changes.maximum('nth', { tenant: change.tenant })) ?? 0) + 1;
  const row = { ...change, nth, said: { ...change.said, nth } };
  const inserted = await changes.createQueryBuilder().insert().values(row).orIgnore().returning('nth').execute();
  return (inserted.raw as readonly unknown[]).length === 1 ? row : undefined;
}
