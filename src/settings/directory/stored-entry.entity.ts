import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Parts } from '../../rules/index.js';

/** A bigint of the database that fits into a number. */
const SECONDS = { to: (seconds: number) => seconds, from: Number };

/** A row of the table `directory`, as `migrations/schema.sql` has it. */
@Entity('directory')
@Index('directory_user_name', { synchronize: false })
@Index('directory_emails', { synchronize: false })
@Index('directory_tags', { synchronize: false })
export class StoredEntry {
  @PrimaryColumn('uuid') tenant!: string;
  @PrimaryColumn('smallint') kind!: number;
  @PrimaryColumn('bytea') key!: Buffer;
  @Column('jsonb') parts!: Parts;
  @Column('text', { nullable: true }) display_name!: string | null;
  @Column('text', { nullable: true }) user_name!: string | null;
  @Column('text', { array: true }) emails!: string[];
  @Column('boolean', { nullable: true }) active!: boolean | null;
  @Column('text', { nullable: true }) owner!: string | null;
  @Column('text', { nullable: true }) team!: string | null;
  @Column('text', { array: true }) tags!: string[];
  @Column('bigint', { transformer: SECONDS }) updated_at!: number;
  @Column('text') updated_by!: string;
}
