import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DetectionChanged } from '../../contracts/index.js';

/** A bigint of the database that fits into a number. */
const WHOLE = { to: (value: number) => value, from: Number };

/** A row of the table `detection_change`, as `migrations/schema.sql` has it. */
@Entity('detection_change')
@Index('detection_change_owed', { synchronize: false })
export class StoredDetectionChange {
  @PrimaryColumn('uuid') tenant!: string;
  @PrimaryColumn('text') kind!: string;
  @PrimaryColumn('int') nth!: number;
  @Column('bigint', { transformer: WHOLE }) at_ms!: number;
  /** Data of the ledger entry. */
  @Column('jsonb') said!: DetectionChanged;
  /** Index of the ledger entry; null: not written yet. */
  @Column('bigint', { nullable: true }) entry!: string | null;
}
