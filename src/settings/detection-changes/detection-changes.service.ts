import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, type Repository } from 'typeorm';
import { StoredDetectionChange } from './stored-detection-change.entity.js';

/** Changes that one look for owed entries takes. */
const OWED_AT_ONCE = 100;

/** Stores the actions of detections, a row a change. Rows are added, and told once; none is ever changed otherwise or removed. */
@Injectable()
export class DetectionChanges {
  readonly #changes: Repository<StoredDetectionChange>;

  constructor(@InjectRepository(StoredDetectionChange) changes: Repository<StoredDetectionChange>) {
    this.#changes = changes;
  }

  /** Adds a change; false if the detection has one of this number already. */
  async add(change: StoredDetectionChange): Promise<boolean> {
    const insert = this.#changes.createQueryBuilder().insert().values(change).orIgnore().returning('nth');
    const { raw } = await insert.execute();
    return (raw as readonly unknown[]).length === 1;
  }

  /** Lists the newest change of each detection that has one. */
  newest(tenant: string): Promise<StoredDetectionChange[]> {
    return this.#changes
      .createQueryBuilder('c')
      .distinctOn(['c.kind'])
      .where('c.tenant = :tenant', { tenant })
      .orderBy('c.kind')
      .addOrderBy('c.nth', 'DESC')
      .getMany();
  }

  /** Lists the oldest changes of a tenant that still lack their ledger entry. */
  owed(tenant: string): Promise<StoredDetectionChange[]> {
    return this.#changes.find({
      where: { tenant, entry: IsNull() },
      order: { at_ms: 'ASC', nth: 'ASC' },
      take: OWED_AT_ONCE,
    });
  }

  /** Notes the ledger entry of a change. */
  async told(
    { tenant, kind, nth }: Pick<StoredDetectionChange, 'tenant' | 'kind' | 'nth'>,
    entry: bigint,
  ): Promise<void> {
    await this.#changes.update({ tenant, kind, nth }, { entry: String(entry) });
  }
}
