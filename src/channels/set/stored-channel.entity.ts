import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Kind, What } from '../../findings/index.js';
import type { SigningSecret } from '../channel.js';

const SECONDS = { to: (seconds: number) => seconds, from: Number };
const POSITION = { to: String, from: BigInt };

/** A row of the table `channel`, as `migrations/schema.sql` has it. */
@Entity('channel')
export class StoredChannel {
  @PrimaryColumn('uuid') tenant!: string;
  @PrimaryColumn('text') name!: string;
  @Column('uuid') id!: string;
  @Column('text') kind!: string;
  @Column('jsonb') settings!: Readonly<Record<string, string>>;
  @Column('jsonb') secrets!: readonly SigningSecret[];
  @Column('boolean') enabled!: boolean;
  @Column('smallint') severity!: number;
  @Column('text', { array: true, nullable: true }) kinds!: Kind[] | null;
  @Column('text', { array: true, nullable: true }) news!: What[] | null;
  @Column('text', { array: true, nullable: true }) tags!: string[] | null;
  @Column('bigint', { transformer: POSITION }) since!: bigint;
  @Column('bigint', { transformer: SECONDS }) updated_at!: number;
  @Column('text') updated_by!: string;
}
