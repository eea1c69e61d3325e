import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { FindingChanged } from '../../contracts/index.js';

/** A bigint of the database that fits into a number. */
const WHOLE = {
  to: (value: number | null) => value,
  from: (text: string | null) => (text === null ? null : Number(text)),
};

/** A row of the table `finding_change`, as `migrations/schema.sql` has it. */
@Entity('finding_change')
@Index('finding_change_finding', { synchronize: false })
@Index('finding_change_wide', { synchronize: false })
@Index('finding_change_owed', { synchronize: false })
@Index('finding_change_read', { synchronize: false })
export class StoredChange {
  @PrimaryColumn('uuid') tenant!: string;
  @PrimaryColumn('int') nth!: number;
  @Column('uuid') finding!: string;
  @Column('text') kind!: string;
  @Column('text') state!: FindingChanged['state'];
  @Column('bigint', { nullable: true, transformer: WHOLE }) until_at!: number | null;
  @Column('boolean') wide!: boolean;
  @Column('int', { nullable: true }) usr!: number | null;
  @Column('int', { nullable: true }) client!: number | null;
  @Column('int', { nullable: true }) agent!: number | null;
  @Column('int', { nullable: true }) res!: number | null;
  @Column('uuid', { nullable: true }) source!: string | null;
  /** An index of the ledger, a decimal number. */
  @Column('bigint') read_ix!: string;
  @Column('bigint', { transformer: WHOLE }) at_ms!: number;
  @Column('jsonb') said!: FindingChanged;
  /** Index of the ledger entry; null: not written yet. */
  @Column('bigint', { nullable: true }) entry!: string | null;
}
